"""Stand-ins for the two packages that are no pure Python, as far as the far side needs them.

They are brought to the other machine under the names of those packages, and never used here.
`msgspec` makes small records and reads them from JSON; `psutil` looks at the processes of Linux.
"""

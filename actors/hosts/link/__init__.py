"""The link to a host: its port over one ordered stream of bytes, to whatever other machine.

`data` writes what the port takes and answers as data, by the types that the port declares, and
reads it with suspicion. `faults` does the same with the errors of the port. `channels` carries
calls and streams side by side over one pair of pipes, each held back by what the other side has
taken; `dialect` tells a version that declares the port in another way. `calling` is the near end,
whose parts are the port itself, and `serving` the far one, which does there what is asked; `opened`
says how they name what lives on for a while. `standing` is how the link stands, `events` tells when
that changes, and `host` is the host that speaks over it.
Nothing here touches a machine.
"""

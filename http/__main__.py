"""`python -m command_center.http`, the same as `command-center`."""

from command_center.http.cli import main

main(prog_name="command-center")

"""Hosts that dial out to this server, so that no way has to lead to them.

The program of such a machine is `hosts.daemon`. `keeper` is the actor that takes its connection,
`leases` the one that keeps the leases of runs there, and `host` the host that speaks over it.
"""

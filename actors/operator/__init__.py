"""The notices for the operator of the server, and the operator's actions.

`actions` carries out what is asked of the actor tree and tells of each crash and restart.
`bridge_watch` tells of connections to Codex that begin and are lost, and `clock_watch` of a clock
that jumped.
"""

"""The system's tables of sockets: whose process has the other end of a connection.

`socket_owner` asks for it, on macOS by its `pcb_list`. The server asks who calls, and a command who
listens, so nothing else of the server is imported here.
"""

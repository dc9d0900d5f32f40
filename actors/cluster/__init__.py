"""A centre that survives its machine: several centres, of which one leads and the others follow.

One stream of JetStream is lease, fence and replica. `settings` says where it is and who we are;
`signs` are what centres say in it. `beginning` finds the cluster that the stream is of, or begins
it, and refuses what cannot go well; `monitors` asks the servers for that. `base_store` keeps whole
databases, with which a copy begins, and `file_store` what people have uploaded. `actor` is
`/cluster`: it follows, claims and beats. `view` is what it knows of the cluster, and `snapshots`
keeps the stream short while it leads. `stream_log` publishes the pieces of each commit, and
knows when another centre has taken over; `leadership` gives the writer its replica. `membership` is
the way in for a server, and `station` stands for it in the tree of a leader. `errors` has what goes
wrong.

Nothing of this is loaded by a server that is in no cluster.
"""

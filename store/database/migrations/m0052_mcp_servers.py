"""Keep which MCP servers the runs of a repository do without."""

from sqlite_utils import Database

from command_center.store.database.checksums import seal_rows


def migrate(db: Database) -> None:
    """Add the column, and seal the rows that have it."""
    db.execute("ALTER TABLE repositories ADD COLUMN mcp_servers_off TEXT NOT NULL DEFAULT '[]'")
    seal_rows(db, "repositories")

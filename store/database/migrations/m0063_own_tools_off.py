"""Turn Command Center's own tools off in repositories that were registered before that was so.

A repository in which somebody has switched MCP servers on or off since then stays as it is.
"""

from sqlite_utils import Database

from command_center.store.database.checksums import seal_rows

_SQL = """
UPDATE repositories SET mcp_servers_off = json_insert(mcp_servers_off, '$[#]', 'command_center')
WHERE NOT EXISTS (SELECT 1 FROM json_each(mcp_servers_off) WHERE value = 'command_center')
AND NOT EXISTS (
    SELECT 1 FROM events WHERE events.repository_id = repositories.id
    AND events.type = 'repo.updated' AND CASE WHEN json_valid(events.body)
        THEN events.body -> '$.data.changes.mcpServersOff' IS NOT NULL ELSE 0 END
);
"""


def migrate(db: Database) -> None:
    """Name them, and seal the rows again."""
    db.executescript(_SQL)
    seal_rows(db, "repositories")

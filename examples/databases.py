"""A database: create it, add rows by a task, wait for the task, print the rows, and delete the database.

    COZE_API_TOKEN=… COZE_WORKSPACE_ID=… python examples/databases.py

Environment:
    COZE_API_TOKEN: Personal access token with the permissions Workspace.createDatabase, Database.createRecord,
        Database.readRecord and Database.delete.
    COZE_API_BASE: Base URL. Default: https://api.coze.com.
    COZE_WORKSPACE_ID: The workspace.
"""

import os
import sys

from cozekit import Coze, CozeError

ROWS = [{"name": "Amy", "level": "3"}, {"name": "Ben", "level": "10"}, {"name": "Cleo", "level": "7"}]


def main() -> None:
    """Create, fill, read and delete a database."""
    with Coze() as coze:
        database_id = coze.databases.create(
            workspace_id=os.environ["COZE_WORKSPACE_ID"],
            table_name="people",
            fields=[
                {"name": "name", "type": "string", "is_required": True},
                {"name": "level", "type": "integer"},
            ],
            rw_mode="unlimited_read_write",
        ).database_id
        try:
            task = coze.databases.records.create_and_poll(database_id=database_id, insert_rows=ROWS, poll_timeout=60)
            print(f"{task.affected_rows} rows added")
            experts = {"conditions": [{"left": "level", "operation": "greater_than", "right": "5"}]}
            for row in coze.databases.records.query(
                database_id=database_id, filter=experts, order_by=[{"field_name": "level", "direction": "desc"}]
            ):
                print(f"{row['name']}: {row['level']}")
        finally:
            coze.databases.delete(database_id=database_id)


if __name__ == "__main__":
    try:
        main()
    except CozeError as error:
        sys.exit(f"databases: {error}")

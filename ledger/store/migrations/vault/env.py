"""Alembic environment: migrations run on the connection that `Database.migrate` opened."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
context.run_migrations()

"""The OpenAPI description: operations, schemas, callbacks."""

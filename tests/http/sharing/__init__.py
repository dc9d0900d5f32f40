"""A session as one document to share."""

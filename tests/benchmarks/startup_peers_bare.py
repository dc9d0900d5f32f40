"""The least that FastAPI can be: one route, nothing else loaded."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/health")
def health() -> dict[str, str]:
    """Always well."""
    return {"status": "ok"}

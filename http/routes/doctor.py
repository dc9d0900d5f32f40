"""/api/doctor: what keeps this server from working, and what mends it."""

from __future__ import annotations

from command_center.http.doctor.clinic import Clinic
from command_center.http.doctor.findings import Diagnosis
from command_center.http.wire.operation import Api

api = Api[Clinic]("Runtime")


@api.operation("GET", "/api/doctor", scope="operate")
async def examine_server(clinic: Clinic) -> Diagnosis:
    """Examine the server and its machine; it takes some seconds."""
    return await clinic.diagnosis()

"""Keys and credentials files; that servers take them is shown in `test_connection`."""

import pytest

from command_center.actors.nats.credentials import NatsCredentials, parse_credentials
from command_center.actors.nats.errors import InvalidCredentials

SEED = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"
"""The seed that the documentation of NATS has as its example, with the public key below."""

PUBLIC = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"


def test_a_seed_has_the_public_key_that_the_documentation_of_nats_says() -> None:
    said = parse_credentials(f"{SEED}\n").answer("nonce")
    assert {"nkey", "sig"} == said.keys()
    assert PUBLIC == said["nkey"]


def test_a_credentials_file_has_a_jwt_and_a_seed() -> None:
    file = (
        "-----BEGIN NATS USER JWT-----\nabc.def.ghi\n------END NATS USER JWT------\n\n"
        "*** IMPORTANT ***\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{SEED}\n------END USER NKEY SEED------\n"
    )
    found = parse_credentials(file)
    assert NatsCredentials(SEED, "abc.def.ghi") == found
    assert {"jwt", "sig"} == found.answer("nonce").keys()
    assert SEED not in repr(found)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not a seed",
        SEED[:-1],
        SEED.replace("SUAC", "SUAD"),
        PUBLIC,
        "SAACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY",
        "-----BEGIN NATS USER JWT-----\na.b.c\n------END NATS USER JWT------\n",
    ],
)
def test_what_has_no_users_seed_is_refused_and_not_told(text: str) -> None:
    with pytest.raises(InvalidCredentials) as refused:
        parse_credentials(text)
    assert not text or text not in str(refused.value)

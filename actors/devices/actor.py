"""`/devices`: makes, changes and revokes them, durably before the roster says so."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

import attrs
import msgspec
import trio

from command_center.actors.contracts.devices import (
    CreateDevice,
    DeviceToken,
    NewDevice,
    OfferPairing,
    Pairing,
    PatchDevice,
    RedeemCode,
    RevokeDevice,
)
from command_center.actors.contracts.passkeys import (
    AskChallenge,
    ConfirmDecision,
    KeepPasskey,
    PasskeyChallenge,
    PasskeyProof,
    RemovePasskey,
    UsePasskey,
)
from command_center.actors.core.clock import later
from command_center.actors.core.storage import Storage
from command_center.actors.devices.pairing import CODE_SECONDS, Codes, Offer
from command_center.actors.devices.passkeys import Passkeys, seconds_of
from command_center.actors.devices.roster import Admitted, Roster, hash_of, new_token
from command_center.actors.ledger import devices as ledger
from command_center.actors.ledger import passkeys as passkey_ledger
from command_center.actors.rules.errors import Unavailable, WrongPasskey
from command_center.actors.rules.preconditions import only_if
from command_center.actors.rules.scopes import ordered
from command_center.runtime import Actor, Deferred, Refusal, handles
from command_center.store import (
    Device,
    Passkey,
    Transaction,
    device_tokens,
    devices,
    now_timestamp,
    passkeys,
)

T = TypeVar("T")

NAMELESS = "A paired device"
"""The name of a device that nobody gave one, and that gives itself none."""

BY_PASSKEY = "A passkey"
"""The name of a device that is made for a passkey, and given none."""

SEEN_SECONDS = 60.0
"""The least seconds between two writes of who was seen."""


class Devices(Actor):
    """Keeps the devices, and the roster by what is stored."""

    def __init__(self, storage: Storage, roster: Roster) -> None:
        """Write to `storage`; nobody else changes the `roster`."""
        self._storage = storage
        self._roster = roster
        self._codes = Codes()
        self._passkeys = Passkeys()
        self._was_seen = trio.Event()
        self._writing = trio.Lock()

    async def on_start(self) -> None:
        """Let in whom the store has; without that nobody new is."""
        await self._load()
        self._roster.on_seen = self._note_seen
        self.ctx.start_task(self._save_seen)

    async def on_stop(self) -> None:
        """Write who was seen since the last time, and leave the roster as the store has it."""
        self._roster.on_seen = None
        await self._save()
        with contextlib.suppress(Refusal):
            await self._load()

    def describe(self) -> Mapping[str, object]:
        """Show how many there are."""
        return {"devices": len(self._roster)}

    @handles(CreateDevice)
    async def create(self, message: CreateDevice) -> Deferred[DeviceToken]:
        """Answer with the token once the device is committed."""
        return self.ctx.answer_later(self._create, message)

    async def _create(self, message: CreateDevice) -> DeviceToken:
        token = new_token()
        hashed = hash_of(token)
        device = await self._commit(
            lambda tx: ledger.create_device(
                tx, message.wanted, token_hash=hashed, granted=message.granted
            ),
            lambda device: self._roster.put(device, hashed),
        )
        return DeviceToken(**msgspec.structs.asdict(device), token=token)

    @handles(PatchDevice)
    async def patch(self, message: PatchDevice) -> Deferred[Device]:
        """Answer once the roster has the change."""
        return self.ctx.answer_later(self._patch, message)

    async def _patch(self, message: PatchDevice) -> Device:
        return await self._commit(
            only_if(
                message.condition,
                lambda tx: ledger.patch_device(
                    tx, message.device_id, message.changes, message.granted
                ),
            ),
            self._roster.put,
        )

    @handles(RevokeDevice)
    async def revoke(self, message: RevokeDevice) -> Deferred[Device]:
        """Answer once the device is let in no more."""
        return self.ctx.answer_later(self._revoke, message)

    async def _revoke(self, message: RevokeDevice) -> Device:
        return await self._commit(
            only_if(
                message.condition,
                lambda tx: ledger.revoke_device(tx, message.device_id, actor=message.requested_by),
            ),
            lambda device: self._roster.remove(device.id),
        )

    @handles(OfferPairing)
    async def offer(self, message: OfferPairing) -> Pairing:
        """Make a code. Nothing is written before it is used."""
        wanted = message.wanted
        scopes = wanted.scopes or ordered(message.granted - {"admin"} or message.granted)
        device = NewDevice(
            name=NAMELESS if wanted.name is None else wanted.name,
            scopes=scopes,
            expires_at=wanted.expires_at,
            requested_by=wanted.requested_by,
        )
        ledger.check(device, message.granted)
        offer = Offer(device, message.granted, message.device, message.device_id)
        code = self._codes.offer(offer)
        return Pairing(code=code, expires_at=later(now_timestamp(), CODE_SECONDS))

    @handles(RedeemCode)
    async def redeem(self, message: RedeemCode) -> Deferred[Device]:
        """Spend the code; answer once its device is committed."""
        if message.name is not None:
            ledger.check_name(message.name)
        return self.ctx.answer_later(self._redeem, self._codes.take(message.code), message.name)

    async def _redeem(self, offer: Offer, name: str | None) -> Device:
        hashed = hash_of(new_token())  # it is known to nobody: the device has a cookie alone
        wanted = offer.wanted
        if name is not None and wanted.name == NAMELESS:
            wanted = msgspec.structs.replace(wanted, name=name)

        def create(tx: Transaction) -> Device:
            ledger.check_offer(tx, offer.device_id, wanted.scopes)
            tx.device, tx.requested_by = offer.device, wanted.requested_by
            return ledger.create_device(
                tx, wanted, token_hash=hashed, granted=offer.granted, is_paired=True
            )

        return await self._commit(create, lambda device: self._roster.put(device, hashed))

    @handles(AskChallenge)
    async def challenge(self, message: AskChallenge) -> Deferred[PasskeyChallenge]:
        """Make a challenge for a passkey. Nothing is kept of it before it is answered."""
        return self.ctx.answer_later(self._challenge, message.words)

    async def _challenge(self, words: bytes) -> PasskeyChallenge:
        is_known = await self._storage.read(lambda db: passkeys.count(db, {}) > 0)
        return PasskeyChallenge(
            challenge=self._passkeys.challenge(words),
            expires_at=later(now_timestamp(), seconds_of(words)),
            is_known=is_known,
        )

    @handles(KeepPasskey)
    async def keep_passkey(self, message: KeepPasskey) -> Deferred[Passkey]:
        """Answer once the passkey is committed."""
        if message.wanted.name is not None:
            ledger.check_name(message.wanted.name)
        return self.ctx.answer_later(self._keep_passkey, message)

    async def _keep_passkey(self, message: KeepPasskey) -> Passkey:
        challenge = self._passkeys.take(message.wanted.client_data)
        made = await trio.to_thread.run_sync(
            self._passkeys.read_new, message.wanted, message.origin, challenge
        )
        hashed = hash_of(new_token())  # of a device that is made for it, and has a cookie alone

        def keep(tx: Transaction) -> tuple[Passkey, Device | None]:
            device, device_id = None, message.device_id
            if device_id is None:
                device = _device_for(tx, message, hashed)
                device_id = device.id
            actor = message.wanted.requested_by
            return passkey_ledger.keep(tx, device_id, **attrs.asdict(made), actor=actor), device

        def follow(kept: tuple[Passkey, Device | None]) -> None:
            if kept[1] is not None:
                self._roster.put(kept[1], hashed)

        return (await self._commit(keep, follow))[0]

    @handles(UsePasskey)
    async def use_passkey(self, message: UsePasskey) -> Deferred[Device]:
        """Answer with the device whose passkey has signed."""
        return self.ctx.answer_later(self._use_passkey, message)

    async def _use_passkey(self, message: UsePasskey) -> Device:
        known = await self._proved(message.proof, message.origin)
        return await self._storage.read(lambda db: devices.get(db, known.id))

    @handles(ConfirmDecision)
    async def confirm(self, message: ConfirmDecision) -> Deferred[Passkey]:
        """Answer with the passkey that has signed for the decision."""
        return self.ctx.answer_later(self._confirm, message)

    async def _confirm(self, message: ConfirmDecision) -> Passkey:
        proof = message.proof
        device = await self._proved(proof, message.origin, message.words)
        if "approve" not in device.scopes:
            raise WrongPasskey("Its device may not approve.")
        return await self._storage.read(lambda db: passkey_ledger.find_by_credential(db, proof.id))

    async def _proved(
        self, proof: PasskeyProof, origin: str | None, words: bytes = b""
    ) -> Admitted:
        """Return the device whose passkey has signed a challenge with these words.

        Raises:
            WrongPasskey: it has not, is not known, or its device is let in no more.
        """
        known = await self._storage.read(lambda db: passkey_ledger.find_by_credential(db, proof.id))
        challenge = self._passkeys.take(proof.client_data, words)
        count = await trio.to_thread.run_sync(
            self._passkeys.read_proof, proof, origin, challenge, known
        )
        await self._storage.write(lambda tx: passkey_ledger.note_used(tx, known, count))
        device = self._roster.by_id(known.device_id)
        if device is None or device.has_expired:
            raise WrongPasskey("Its device is let in no more.")
        return device

    @handles(RemovePasskey)
    async def remove_passkey(self, message: RemovePasskey) -> Deferred[Passkey]:
        """Answer once the passkey signs in no more."""
        return self.ctx.answer_later(self._remove_passkey, message)

    async def _remove_passkey(self, message: RemovePasskey) -> Passkey:
        return await self._storage.write(
            lambda tx: passkey_ledger.remove_passkey(
                tx, message.passkey_id, message.device_id, actor=message.requested_by
            )
        )

    async def _commit(self, unit: Callable[[Transaction], T], follow: Callable[[T], None]) -> T:
        """Commit a unit and have the roster follow, in the order of the commits.

        Where it is not known whether it was committed, the roster is read anew.
        """
        async with self._writing:
            try:
                value = await self._storage.write(unit)
            except Unavailable:
                self.ctx.start_task(self._reload)
                raise
            follow(value)
            return value

    async def _reload(self) -> None:
        async with self._writing:
            await self._load()

    async def _load(self) -> None:
        def read(tx: Transaction) -> tuple[list[Device], dict[int, str]]:
            sound, _ = devices.sound(tx.db, {})
            return sound, device_tokens.every(tx.db)

        # By the writer, after all that is under way there.
        stored, hashes = await self._storage.write(read)
        self._roster.load(stored, hashes)

    def _note_seen(self) -> None:
        self._was_seen.set()

    async def _save_seen(self) -> None:
        while True:
            await self._was_seen.wait()
            self._was_seen = trio.Event()
            await self._save()
            await trio.sleep(SEEN_SECONDS)

    async def _save(self) -> None:
        for device in self._roster.take_unsaved():
            if device.seen is None:
                continue
            at, address = device.seen
            unit = partial(ledger.note_seen, device_id=device.id, at=at, address=address)
            with contextlib.suppress(Refusal):  # the next time does as well
                await self._storage.write(unit)


def _device_for(tx: Transaction, message: KeepPasskey, hashed: str) -> Device:
    """Make a device for a passkey of who is none."""
    wanted = NewDevice(
        name=message.wanted.name or BY_PASSKEY,
        scopes=ordered(message.granted),
        requested_by=message.wanted.requested_by,
    )
    return ledger.create_device(
        tx, wanted, token_hash=hashed, granted=message.granted, is_paired=True
    )

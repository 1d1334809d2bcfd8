"""Files of minors: initials everywhere, opened by few, for a reason, and the database alone would hold it."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import httpx
import psycopg
import pypdf
import pytest
import small_city as world
from conftest import Api
from psycopg.errors import InsufficientPrivilege

from corrections_monitor.config import Config
from corrections_monitor.live.digests import DigestDesk
from corrections_monitor.model.cases import Role
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.times import DAY_MS, MINUTE_MS
from corrections_monitor.paging.channels import Ways
from corrections_monitor.rules.text import initials
from corrections_monitor.store import Store
from corrections_monitor.store.outgoing import Progress, changed
from corrections_monitor.store.pool import asking_officer, opened_file

NAME, INITIALS = "姓名p-a1", initials("姓名p-a1")
TRACK = "/api/v1/people/p-a1/track"
HOME, PLACE = "home-p-a1", "122.0999"


@pytest.fixture
async def house(api: Api) -> str:
    """``p-a1`` is a minor with a violation, a fix and a home; ``officer-station-a1`` is named.  Gives the
    episode's id."""
    line, alert = world.violation("p-a1")
    line.episode.evidence["fixes"][0]["lon"] = 122.0999  # type: ignore[index]
    other_line, other_alert = world.violation("q-a1")
    async with api.store.transaction() as tx:
        await tx.write_alerts([alert, other_alert])
        await tx.write_lines([line, other_line])
    for person in ("p-a1", "q-a1"):
        await world.report(api.store, person, world.NOW_MS - MINUTE_MS, 122.0999, 41.1)
    chief = await api.login(Role.CHIEF, "station-a1")
    body = {"reason": "未满十八周岁", "officers": ["officer-station-a1"]}
    assert (await chief.put("/api/v1/minors/p-a1", json=body)).status_code == 204
    return line.episode.episode_id


async def everything(client: httpx.AsyncClient, episode: str) -> str:
    """All that the API tells of people without being asked for one file."""
    alert = world.violation("p-a1")[1].alert_id
    plain = ("people", "people/p-a1", "alerts", "census", "minors", "zones", "orders", "holds")
    asked = ("", f"/{episode}", "?format=csv", "?format=geojson")
    paths = [f"/{name}" for name in plain] + [f"/violations{more}" for more in asked] + [f"/alerts/{alert}"]
    texts = []
    for path in paths:
        answer = await client.get(f"/api/v1{path}")
        assert answer.status_code == 200, (path, answer.text)
        texts.append(answer.text)
    return "\n".join(texts)


async def test_in_lists_a_minor_is_initials_for_everybody(api: Api, house: str) -> None:
    for role in (Role.OFFICER, Role.CHIEF, Role.SUPERVISOR, Role.AUDITOR):
        for office in ("station-a1", "city"):
            await _sees_initials(await api.login(role, office), house)


async def _sees_initials(client: httpx.AsyncClient, house: str) -> None:
    told = await everything(client, house)
    assert "姓名q-a1" in told
    assert NAME not in told
    assert INITIALS in told
    zones = (await client.get("/api/v1/zones")).json()["items"]
    assert HOME not in {z["id"] for z in zones}
    people = {p["person_id"]: p for p in (await client.get("/api/v1/people")).json()["items"]}
    assert people["p-a1"]["minor"]
    assert people["p-a1"]["position"] is None
    assert people["q-a1"]["position"] is not None
    violations = (await client.get("/api/v1/violations")).json()["items"]
    assert {v["person_id"]: bool(v["evidence"]) for v in violations} == {"p-a1": False, "q-a1": True}
    census = {p["person_id"]: p for p in (await client.get("/api/v1/census")).json()["items"]}
    assert census["p-a1"]["devices"], "nobody falls out of the census"
    assert census["p-a1"]["wrong"] == census["q-a1"]["wrong"]


OPENERS = [
    (Role.CHIEF, "station-a1", True),
    (Role.OFFICER, "station-a1", True),  # named
    (Role.SUPERVISOR, "station-a1", False),
    (Role.AUDITOR, "station-a1", False),
    (Role.CHIEF, "county-a", False),
    (Role.SUPERVISOR, "city", False),
    (Role.OFFICER, "city", False),
]


async def test_who_may_opens_the_file_for_a_reason_that_is_logged(
    api: Api, house: str, database_url: str
) -> None:
    for role, office, may in OPENERS:
        client = await api.login(role, office)
        await _opens(client, house, may)
        who = world.officer_id(role, office)
        action = "minor.read" if may else "minor.refused"
        assert logged(database_url, who) == [(action, "p-a1", "谈话前了解")] * 3


async def _opens(client: httpx.AsyncClient, house: str, may: bool) -> None:
    file = await client.get("/api/v1/people/p-a1", params={"reason": "谈话前了解"})
    track = await client.get(TRACK, params={"reason": "谈话前了解"})
    pack = await client.get(f"/api/v1/violations/{house}/evidence", params={"reason": "谈话前了解"})
    assert [a.status_code for a in (file, track, pack)] == [200 if may else 403] * 3
    if may:
        assert (file.json()["name"], file.json()["position"]["lon"]) == (NAME, 122.0999)
        assert PLACE in track.text
        assert "minor-sealed" in track.headers["content-disposition"]
        text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pack.content)).pages)
        assert "未成年人" in text.replace("\n", "")
        # The next request begins closed again.
        assert NAME not in (await client.get("/api/v1/people/p-a1")).text
    else:
        assert all(NAME not in a.text and PLACE not in a.text for a in (file, track))


def logged(url: str, who: str) -> list[tuple[str, str, str]]:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT action, target, detail ->> 'reason' FROM audit"
            " WHERE actor = %s AND action IN ('minor.read', 'minor.refused') ORDER BY seq",
            [who],
        )
        return list(found.fetchall())


async def test_without_a_reason_nobody_reads_the_file(api: Api, house: str) -> None:
    chief = await api.login(Role.CHIEF, "station-a1")
    assert NAME not in (await chief.get("/api/v1/people/p-a1")).text
    assert (await chief.get(TRACK)).status_code == 422


async def test_a_file_is_guarded_and_unguarded_by_who_manages_and_each_is_logged(
    api: Api, house: str, database_url: str
) -> None:
    officer = await api.login(Role.OFFICER, "station-a1")
    assert (await officer.put("/api/v1/minors/q-a1", json={"reason": "x"})).status_code == 403
    chief = await api.login(Role.CHIEF, "station-a1")
    assert (await chief.put("/api/v1/minors/q-a1", json={"reason": ""})).status_code == 422
    unknown = await chief.put("/api/v1/minors/q-a1", json={"reason": "x", "officers": ["nobody"]})
    assert unknown.json()["errors"][0]["field"] == "officers"
    assert (await chief.put("/api/v1/minors/p-a2", json={"reason": "x"})).status_code == 404
    assert (await chief.post("/api/v1/minors/p-a1/lift", json={"reason": "登记有误"})).status_code == 204
    told = await everything(chief, house)
    assert NAME in told
    assert HOME in {z["id"] for z in (await chief.get("/api/v1/zones")).json()["items"]}
    with psycopg.connect(database_url) as connection:
        actions = connection.execute(
            "SELECT action, actor, target FROM audit WHERE action LIKE 'minor.%' ORDER BY seq"
        ).fetchall()
    assert actions == [
        ("minor.guard", "chief-station-a1", "p-a1"), ("minor.unguard", "chief-station-a1", "p-a1")
    ]  # fmt: skip


async def test_the_database_alone_holds_it(api: Api, house: str) -> None:
    """As the API's role, with statements of one's own."""
    everywhere = sorted(world.OFFICES)
    for officer, opened, shown in (
        ("chief-station-a1", "", INITIALS),
        ("supervisor-city", "p-a1", INITIALS),
        ("chief-station-a1", "q-a1", INITIALS),
        ("chief-station-a1", "p-a1", NAME),
    ):
        asking_officer.set(officer)
        opened_file.set(opened)
        async with api.api_store.seeing(everywhere) as connection:

            async def ask(statement: Any) -> list[Any]:
                return await (await connection.execute(statement)).fetchall()

            assert await ask("SELECT name FROM people WHERE person_id = 'p-a1'") == [(shown,)]
            found = await ask("SELECT count(*) FROM person_fixes WHERE person_id = 'p-a1'")
            assert found == [(int(shown == NAME),)]
            evidence = await ask("SELECT evidence::text FROM episodes WHERE person_id = 'p-a1'")
            assert (PLACE in evidence[0][0]) == (shown == NAME)
            zones = await ask("SELECT count(*) FROM zones WHERE zone_id = 'home-p-a1'")
            assert zones == [(int(shown == NAME),)]
    for column, table in (("name", "public.people"), ("evidence", "public.episodes")):
        with pytest.raises(InsufficientPrivilege):
            async with api.api_store.seeing(everywhere) as connection:
                await connection.execute(f"SELECT {column} FROM {table}")  # type: ignore[arg-type]
    asking_officer.set("")
    opened_file.set("")


async def test_initials_are_the_same_everywhere(store: Store) -> None:
    for name in ("王小明", "欧阳修", "欧阳", "李", "Li Lei", "li  lei", "张p1", "诸葛孔明"):
        async with store.seeing(["*"]) as connection:
            row = await (await connection.execute("SELECT initials(%s)", [name])).fetchone()
        assert row == (initials(name),)


async def test_a_digest_made_before_names_a_minor_by_initials_since(api: Api) -> None:
    """p-a1's order was about to end when the digest was made; the file is guarded afterwards."""
    for person in ("p-a1", "q-a1"):
        line, alert = world.violation(person)
        async with api.store.transaction() as tx:
            await tx.write_alerts([alert])
            await tx.write_lines([replace(line, episode=replace(line.episode, kind=Kind.ORDER_EXPIRING))])
    desk = DigestDesk(api.store, Config, world.cases, Ways(), api.clock)
    await desk.look()
    api.clock.now_ms += DAY_MS
    await desk.look()
    chief = await api.login(Role.CHIEF, "station-a1")
    names = {}
    for guarded in (False, True):
        if guarded:
            assert (await chief.put("/api/v1/minors/p-a1", json={"reason": "x"})).status_code == 204
        [digest] = (await chief.get("/api/v1/offices/station-a1/digests")).json()["items"]
        names[guarded] = [person["person_name"] for person in digest["expiring"]]
    assert names == {False: [NAME, "姓名q-a1"], True: [INITIALS, "姓名q-a1"]}


async def test_what_leaves_the_house_names_no_minor(api: Api, house: str) -> None:
    rows = await changed(api.store, Progress(0, 2**40), 10)
    told = {row["person_id"]: (row["person_name"], row["minor"]) for row in rows}
    assert told == {"p-a1": (INITIALS, True), "q-a1": ("姓名q-a1", False)}
    assert json.dumps(told, ensure_ascii=False)

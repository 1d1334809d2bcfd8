"""Which channels an officer has, and which of them are dead together."""

from __future__ import annotations

from corrections_monitor.model.cases import Officer, Role
from corrections_monitor.paging.channels import Ways, channels_for, kind_of, lane_of

LI = Officer("li", "s1", "李强", Role.OFFICER, "li")


def officer(*urls: str) -> Officer:
    return Officer("li", "s1", "李强", Role.OFFICER, "li", urls)


def test_an_officer_without_addresses_is_told_over_mqtt_and_every_webhook() -> None:
    assert channels_for(LI, Ways(mqtt=True, webhooks=("police", "city"))) == [
        ("mqtt", "cm/v1/officers/li/page"),
        ("webhook:police", "police"),
        ("webhook:city", "city"),
    ]


def test_an_officer_who_cannot_be_reached_still_has_a_row_that_will_fail() -> None:
    assert channels_for(LI, Ways()) == [("nowhere", "")]


def test_every_address_is_a_channel_of_its_own() -> None:
    urls = (
        "mailto://u:p@a.cn?to=x@a.cn",
        "wecombot://SECRETKEY",
        "mailto://u:p@a.cn?to=y@a.cn",
        "dingtalk://TOKEN/",
    )
    found = channels_for(officer(*urls, urls[0]), Ways())
    assert [address for _, address in found] == list(urls)
    names = [name for name, _ in found]
    assert len(set(names)) == 4
    assert not any(secret in "".join(names) for secret in ("SECRETKEY", "TOKEN", "a.cn"))


def test_addresses_of_one_mail_server_share_a_lane_and_those_of_another_do_not() -> None:
    urls = ("mailto://u:p@a.cn?to=x@a.cn", "mailto://v:q@a.cn?to=y@a.cn", "mailto://u:p@b.cn")
    first, second, third = (lane_of(name) for name, _ in channels_for(officer(*urls), Ways()))
    assert first == second != third


def test_all_addresses_of_a_provider_share_a_lane() -> None:
    names = [name for name, _ in channels_for(officer("wecombot://KEY1", "wecombot://KEY2"), Ways())]
    assert [lane_of(name) for name in names] == ["apprise:wecombot"] * 2
    assert kind_of(names[1]) == "apprise"


def test_names_stay_when_other_addresses_come_and_go() -> None:
    alone = channels_for(officer("mailto://u:p@a.cn"), Ways())
    among = channels_for(officer("wecombot://KEY", "mailto://u:p@a.cn"), Ways(mqtt=True))
    assert alone[0] in among

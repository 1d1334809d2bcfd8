"""The sentence on each episode: what, where, how far, how sure, since when.  Chinese, English beside it.

Templates take named values; a missing name is a programming error that tests over all kinds would show.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from corrections_monitor.model.settings import Language
from corrections_monitor.model.times import SECOND_MS, from_ms

_TEMPLATES: Mapping[str, tuple[str, str]] = {
    "zone.exit": (
        "{since}起越出“{zone}”界外 {metres} 米（定位误差约 {acc} 米，{count} 个定位点一致）",
        "outside “{zone}” by {metres} m since {since} (accuracy about {acc} m, {count} fixes agree)",
    ),
    "curfew": (
        "{since}起在规定时段内不在“{zone}”，相距 {metres} 米（定位误差约 {acc} 米）",
        "not in “{zone}” during its hours since {since}, {metres} m outside (accuracy about {acc} m)",
    ),
    "leave.overdue": (
        "请假于{since}到期，至今未返回“{zone}”，相距 {metres} 米",
        "leave ended {since} and not once back in “{zone}”, {metres} m outside",
    ),
    "leave.astray": (
        "请假期间自{since}起既不在请假地点也不在平时规定区域，最近相距 {metres} 米",
        "on leave but since {since} outside both the places named and the usual ones, {metres} m off",
    ),
    "zone.enter": (
        "{since}起进入禁止区域“{zone}”，深入 {metres} 米（定位误差约 {acc} 米，{count} 个定位点一致）",
        "inside forbidden “{zone}” since {since}, {metres} m deep (accuracy {acc} m, {count} fixes agree)",
    ),
    "contact.near": (
        "{since}起与被保护人相距 {metres} 米，小于规定的 {limit} 米",
        "{metres} m from the protected person since {since}, closer than the {limit} m set",
    ),
    "silence.device": (
        "{since}起所有设备失联（最后联系：{device}）",
        "no device heard since {since} (last: {device})",
    ),
    "silence.position": (
        "{since}起设备在线但没有可用定位（{device}）",
        "in contact but no usable position since {since} ({device})",
    ),
    "silence.band": (
        "{since}起手环 {device} 失联，其他设备仍在线",
        "band {device} silent since {since} while another device speaks",
    ),
    "strap.cut": (
        "设备 {device} 报告腕带被剪断（{since}）",
        "device {device} reports its strap cut at {since}",
    ),
    "strap.cut.again": (
        "设备 {device} 一日内 {count} 次报告腕带异常，建议重新佩戴或更换设备",
        "device {device} reported its strap {count} times within a day: refit or replace it",
    ),
    "strap.loose": (
        "设备 {device} 报告腕带松动（{since}）",
        "device {device} reports a loose strap at {since}",
    ),
    "case.open": (
        "设备 {device} 报告外壳被打开（{since}）",
        "device {device} reports its case opened at {since}",
    ),
    "power.off": ("设备 {device} 于{since}关机", "device {device} was switched off at {since}"),
    "shielded": (
        "设备 {device} 自{since}起被屏蔽（{how}）",
        "device {device} shielded since {since} ({how})",
    ),
    "jammed": ("设备 {device} 自{since}起受干扰（{how}）", "device {device} jammed since {since} ({how})"),
    "separated": (
        "设备 {device} 自{since}起人机分离（{how}）",
        "device {device} apart from its wearer since {since} ({how})",
    ),
    "spoofed": (
        "设备 {device} 自{since}起定位可疑（{how}）",
        "positions of {device} implausible since {since} ({how})",
    ),
    "sos": ("佩戴人于{since}按下求助键（{device}）", "the wearer asked for help at {since} ({device})"),
    "battery.low": ("设备 {device} 电量低（{percent}）", "battery of {device} low ({percent})"),
    "battery.critical": (
        "设备 {device} 电量即将耗尽（{percent}）",
        "battery of {device} nearly empty ({percent})",
    ),
    "data.gap": (
        "设备 {device} 缺少序号 {first}–{last} 的数据",
        "messages {first} to {last} of {device} are missing",
    ),
    "order.expiring": (
        "电子定位决定 {order} 将于{end}到期（不足 {days} 天），尚无延长",
        "order {order} ends {end} (within {days} days), no extension in force",
    ),
    "order.lapsed": (
        "电子定位决定 {order} 已于{end}到期，设备 {device} 仍未解除绑定",
        "order {order} ended {end} but device {device} is still bound",
    ),
    "unmonitored.unbound": (
        "定位决定生效但未绑定设备（自{since}起），漏管",
        "order in force but no device bound since {since}",
    ),
    "unmonitored.unheard": (
        "设备 {device} 自{since}绑定后从未上线，漏管",
        "device {device} bound since {since} and never heard",
    ),
    "outage": (
        "{since}起 {scope} 有 {count} 人几乎同时失联，疑似通信或平台故障",
        "{count} people of {scope} fell silent together about {since}: an outage is likely",
    ),
    # How interference was inferred.
    "how.leaps": (
        "推断：同一设备在相距 {km} 公里的两处之间反复跳变，速度不可能",
        "inferred: to and fro between two places {km} km apart, impossibly fast",
    ),
    "how.jump": (
        "推断：精确定位在两地之间瞬间移动 {km} 公里，速度不可能",
        "inferred: from one place to another {km} km away, impossibly fast between good fixes",
    ),
    "how.frozen": (
        "推断：卫星定位数值 {minutes} 分钟内完全相同，而此前一直有正常抖动",
        "inferred: one satellite position to the last digit for {minutes} min from a receiver that dithers",
    ),
    "how.still": (
        "推断：设备已 {hours} 小时未被移动，与本人以往清醒时段的规律不符",
        "inferred: not moved for {hours} h, through waking hours and against the person's own pattern",
    ),
    "how.clock.ahead": (
        "推断：设备时钟快 {off}，其定位无法按时间还原",
        "inferred: the device's clock is {off} fast, its positions cannot be told in time",
    ),
    "how.clock.behind": (
        "推断：设备时钟慢 {off}，其定位无法按时间还原",
        "inferred: the device's clock is {off} slow, its positions cannot be told in time",
    ),
    "how.clock.backwards": (
        "推断：设备时间倒走",
        "inferred: the device's time runs backwards",
    ),
    "how.lost": (
        "推断：户外突然失去信号，电量 {percent}%；同一人的 {other} 在户外定位良好，已前行 {metres} 米",
        "inferred: lost outdoors at once with {percent} % battery; {other} of the same person has good "
        "positions outdoors and has gone on {metres} m",
    ),
    "how.apart": (
        "推断：与本人另一设备相距 {metres} 米",
        "inferred: {metres} m from the person's other device",
    ),
    # What was set right before judging.
    "clock.behind": ("；设备时钟慢 {off}，已校正", "; the device's clock is {off} slow, set right"),
    "clock.ahead": ("；设备时钟快 {off}，已校正", "; the device's clock is {off} fast, set right"),
    # Why an episode closed.
    "inside-again": ("已返回规定区域", "inside again"),
    "outside-again": ("已离开禁止区域", "outside again"),
    "hours-ended": ("规定时段结束", "the hours ended"),
    "leave-over": ("请假结束", "the leave ended"),
    "leave-began": ("请假开始", "a leave began"),
    "order-ended": ("定位决定到期或解除", "order ended"),
    "suspended": ("监管暂停（住院、羁押或设备维修）", "monitoring suspended"),
    "cases-changed": ("规定已变更，不再适用", "no longer demanded after a change of cases"),
    "heard-again": ("设备恢复联系", "heard again"),
    "position-again": ("恢复可用定位", "a usable position again"),
    "other-silence": ("转为其他失联类型", "became another kind of silence"),
    "strap-ok": ("腕带恢复正常", "strap ok"),
    "opposite": ("设备报告恢复正常", "the device reports it over"),
    "normal-again": ("持续恢复正常", "normal again long enough"),
    "charging": ("开始充电或电量恢复", "charging or charged"),
    "filled": ("缺失数据已补传", "the missing data arrived"),
    "given-up": ("超过二十四小时未补传", "not filled within 24 hours"),
    "extended": ("决定已延长", "extended"),
    "unbound": ("设备已解除绑定", "device unbound"),
    "bound": ("已绑定设备", "a device was bound"),
    "resolved": ("由工作人员核查后办结", "resolved by an officer"),
    "farther-again": ("已远离被保护人", "farther again"),
    "withdrawn": ("补传数据表明未曾发生", "late data show it did not happen"),
    "wider-outage": ("并入更大范围的失联", "part of a wider outage"),
    "most-back": ("多数设备已恢复", "most are back"),
}


class Reasons:
    """Renders the sentence for one language and zone."""

    def __init__(self, language: Language, zone: ZoneInfo) -> None:
        self._column = 0 if language is Language.ZH else 1
        self._zone = zone

    def say(self, what: str, *, since_ms: int | None = None, **values: Any) -> str:
        """Render a template; ``since_ms`` becomes civil time as ``since``."""
        template = _TEMPLATES[what][self._column]
        if since_ms is not None:
            values["since"] = self.time(since_ms)
        return template.format(**values)

    def clock(self, what: str, off_ms: int) -> str:
        """Render a template of a clock that is off by so much; ``clock`` itself has one for either side."""
        if what == "clock":
            what = "clock.ahead" if off_ms < 0 else "clock.behind"
        seconds = abs(off_ms) // SECOND_MS
        units = ("小时", "分", "秒") if self._column == 0 else ("h", "min", "s")
        for size, unit in zip((3_600, 60, 1), units, strict=True):
            if seconds >= 3 * size or size == 1:
                return self.say(what, off=f"{round(seconds / size)} {unit}")
        raise AssertionError

    def time(self, t_ms: int) -> str:
        """Civil time to the minute, or to the second where that matters little to read."""
        return f"{from_ms(t_ms, self._zone):%m-%d %H:%M:%S}"

"""Names of kinds and severities, and what an officer should do first, in the languages of pages."""

from __future__ import annotations

from corrections_monitor.model.episodes import Kind, Severity
from corrections_monitor.model.settings import Language

_CALL_ZH = "立即电话联系本人核实位置，联系不上的到场查找。"
_CALL_EN = "Call the person at once; if unreachable, look for them on the spot."
_DEVICE_ZH = "联系本人检查设备是否开机、有电、在身；设备故障不作违规记录。"
_DEVICE_EN = "Have the person check that the device is on, charged and worn; a fault is no breach."
_TAMPER_ZH = "立即到场查验设备与佩戴情况，结论须由工作人员填写。"
_TAMPER_EN = "Inspect the device and its fit on the spot; only an officer's finding closes this."

_KINDS: dict[Kind, tuple[str, str, str, str]] = {
    # kind: (name zh, name en, what to do zh, what to do en)
    Kind.ZONE_EXIT: ("离开规定区域", "left the permitted area", _CALL_ZH, _CALL_EN),
    Kind.CURFEW: ("规定时段外出", "out during curfew", _CALL_ZH, _CALL_EN),
    Kind.LEAVE_OVERDUE: ("请假逾期未归", "overdue from leave", _CALL_ZH, _CALL_EN),
    Kind.LEAVE_ASTRAY: ("请假期间偏离批准地点", "astray on leave", _CALL_ZH, _CALL_EN),
    Kind.ZONE_ENTER: (
        "进入禁止区域",
        "entered a forbidden place",
        "立即电话要求本人离开，必要时到场并通知辖区派出所。",
        "Call and have the person leave; if needed go there and tell the local police.",
    ),
    Kind.CONTACT_NEAR: (
        "接近被保护人",
        "near a protected person",
        "立即联系双方；有危险的先报警。",
        "Call both at once; where there is danger, call the police first.",
    ),
    Kind.SILENCE_DEVICE: ("设备失联", "device silent", _DEVICE_ZH, _DEVICE_EN),
    Kind.SILENCE_POSITION: ("无定位", "no position", _DEVICE_ZH, _DEVICE_EN),
    Kind.SILENCE_BAND: ("手环失联", "band silent", _DEVICE_ZH, _DEVICE_EN),
    Kind.STRAP_CUT: ("腕带剪断", "strap cut", _TAMPER_ZH, _TAMPER_EN),
    Kind.STRAP_LOOSE: ("腕带松脱", "strap loose", _TAMPER_ZH, _TAMPER_EN),
    Kind.CASE_OPEN: ("设备拆壳", "case opened", _TAMPER_ZH, _TAMPER_EN),
    Kind.POWER_OFF: ("设备关机", "device switched off", _DEVICE_ZH, _DEVICE_EN),
    Kind.SHIELDED: ("设备被屏蔽", "device shielded", _CALL_ZH, _CALL_EN),
    Kind.JAMMED: ("信号受干扰", "signal jammed", _CALL_ZH, _CALL_EN),
    Kind.SEPARATED: ("人机分离", "person and device apart", _CALL_ZH, _CALL_EN),
    Kind.SPOOFED: ("疑似伪造位置", "position may be forged", _CALL_ZH, _CALL_EN),
    Kind.SOS: (
        "本人求助",
        "calls for help",
        "立即回拨；无应答的就近派人并报警。",
        "Call back at once; without an answer send someone and call the police.",
    ),
    Kind.BATTERY_LOW: ("电量低", "battery low", "提醒本人充电。", "Remind the person to charge."),
    Kind.BATTERY_CRITICAL: (
        "电量即将耗尽",
        "battery nearly empty",
        "督促本人立即充电。",
        "Have the person charge now.",
    ),
    Kind.DATA_GAP: ("数据缺段", "data missing", "待设备补传，无需处置。", "Wait for the device to send it."),
    Kind.ORDER_EXPIRING: (
        "定位审批即将到期",
        "order about to end",
        "评估是否延长（每次不超过三个月），不再需要的及时解除。",
        "Assess an extension (three months at most) or release in time.",
    ),
    Kind.ORDER_LAPSED: (
        "定位审批已到期",
        "order has ended",
        "立即解除设备或补办延长审批；到期后不再记录位置。",
        "Unbind the device or extend the order; positions are no longer kept.",
    ),
    Kind.UNMONITORED: (
        "应定位未定位（漏管）",
        "under order but not monitored",
        "立即为本人绑定设备并核实其去向。",
        "Bind a device and find out where the person is.",
    ),
    Kind.OUTAGE: (
        "大面积失联",
        "many devices silent together",
        "检查网络与接入服务；恢复前按高风险名单人工核查。",
        "Check network and broker; until it is back, check high-risk persons by hand.",
    ),
}

KIND_NAMES: dict[Language, dict[Kind, str]] = {
    Language.ZH: {kind: row[0] for kind, row in _KINDS.items()},
    Language.EN: {kind: row[1] for kind, row in _KINDS.items()},
}

WHAT_TO_DO: dict[Language, dict[Kind, str]] = {
    Language.ZH: {kind: row[2] for kind, row in _KINDS.items()},
    Language.EN: {kind: row[3] for kind, row in _KINDS.items()},
}

SEVERITY_NAMES: dict[Language, dict[Severity, str]] = {
    Language.ZH: {
        Severity.CRITICAL: "紧急",
        Severity.MAJOR: "重要",
        Severity.MINOR: "一般",
        Severity.INFO: "提示",
    },
    Language.EN: {severity: str(severity) for severity in Severity},
}

WORDS: dict[Language, dict[str, str]] = {
    Language.ZH: {
        "severity": "【{}】",
        "bundle": "{} 条警情（{}）",
        "since then": "{} 起",
        "drill": "【演练】",
        "late": "【补报】",
        "comma": "，",
        "colon": "：",
        "who": "对象",
        "what": "情况",
        "since": "起始",
        "where": "位置",
        "how sure": "依据",
        "to do": "处置",
        "alert": "警情编号",
        "note": "说明",
        "escalated": "前面 {} 级未确认，现上报。",
        "repeat": "一直无人应答，再次通知。",
        "reminder": "您已确认，但尚无下文。请处置或填写进展，否则将重新逐级通知。",
        "handed-over": "该警情已移交给您。",
        "beaten": "该警情已由 {} 接手，您不必处理。",
        "worsened": "情况加重，重新通知。",
        "worsened despite": "情况加重，重新通知（此前由 {} 确认）。",
        "expired": "{} 确认后没有下文，重新通知。",
        "link": "查看",
        "answer link": "查看并确认（限本人）",
        "fix": "（{} 定位，{}，误差约 {}）",
        "just now": "刚刚",
        "minutes ago": "{} 分钟前",
        "hours ago": "{} 小时前",
        "days ago": "{} 天前",
        "beyond": "“{}”界外",
        "inside": "“{}”内",
        "from": "“{0}”{1}",
    },
    Language.EN: {
        "severity": "[{}] ",
        "bundle": "{} alerts ({})",
        "since then": "since {}",
        "drill": "[drill] ",
        "late": "[late] ",
        "comma": ", ",
        "colon": ": ",
        "who": "Who",
        "what": "What",
        "since": "Since",
        "where": "Where",
        "how sure": "Grounds",
        "to do": "Do",
        "alert": "Alert",
        "note": "Note",
        "escalated": "Not acknowledged at {} step(s) before; escalated.",
        "repeat": "Still nobody has answered; told once more.",
        "reminder": "You acknowledged but nothing followed. Act or write a note, or all are told anew.",
        "handed-over": "This alert has been handed over to you.",
        "beaten": "{} has taken this alert; you need not act.",
        "worsened": "It has grown worse; told anew.",
        "worsened despite": "It has grown worse; told anew (acknowledged by {} before).",
        "expired": "Nothing followed after {} acknowledged; told anew.",
        "link": "Open",
        "answer link": "See and acknowledge (for you alone)",
        "fix": " (fix of {}, {}, accuracy about {})",
        "just now": "just now",
        "minutes ago": "{} min ago",
        "hours ago": "{} h ago",
        "days ago": "{} days ago",
        "beyond": "outside “{}”",
        "inside": "inside “{}”",
        "from": "{1} of “{0}”",
    },
}

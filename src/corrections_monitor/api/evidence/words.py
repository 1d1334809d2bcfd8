"""What the pack says in Chinese beside the names that pages use: rules, grounds, people, events."""

from __future__ import annotations

from collections.abc import Mapping

from corrections_monitor.model.alerts import Disposition
from corrections_monitor.model.cases import Category, Supervision, ZoneKind
from corrections_monitor.model.episodes import KIND_CAUSE, Cause, Kind

CATEGORIES: Mapping[Category, str] = {
    Category.CONTROL: "管制",
    Category.PROBATION: "缓刑",
    Category.PAROLE: "假释",
    Category.MEDICAL: "暂予监外执行",
    Category.PROTECTED: "被保护人",
}
LEVELS: Mapping[Supervision, str] = {Supervision.STRICT: "严管", Supervision.NORMAL: "普管"}
ZONE_KINDS: Mapping[ZoneKind, str] = {
    ZoneKind.INCLUSION: "规定活动区域",
    ZoneKind.EXCLUSION: "禁止进入区域",
}
DISPOSITIONS: Mapping[Disposition, str] = {
    Disposition.TRUE_VIOLATION: "属实违规",
    Disposition.FALSE_ALARM: "误报",
    Disposition.DEVICE_FAULT: "设备故障",
    Disposition.AUTHORISED: "已获批准",
    Disposition.DRILL: "演练",
}
STATES = {"open": "未确认", "acknowledged": "已确认，处置中", "resolved": "已处置"}
SOURCES = {"gnss": "卫星", "beacon": "信标", "wifi": "WiFi", "lbs": "基站"}

GROUNDS: Mapping[str, str] = {
    "29.1": "违反人民法院禁止令",
    "29.2": "无正当理由，未经批准离开所居住的市、县",
    "29.3": "拒不按照规定报告自己的活动情况，被给予警告",
    "29.4": "违反监督管理规定，被给予治安管理处罚",
    "29.5": "拟提请撤销缓刑、假释或者暂予监外执行收监执行",
}
"""社区矫正法 第二十九条第一款 各项."""

_BY_CAUSE: Mapping[Cause, str] = {
    Cause.PLACE: "社区矫正对象应在规定的活动区域和时段内活动；未经批准不得离开（社区矫正法第二十七条）。",
    Cause.EXCLUSION: "社区矫正对象不得进入禁止令或监管规定划定的区域（社区矫正法第二十三条、第二十九条）。",
    Cause.CONTACT: "社区矫正对象与被保护人的距离不得小于规定值；本包只记距离，不记被保护人的位置。",
    Cause.SILENCE: "设备应按上报间隔持续联系；三个间隔且不少于五分钟没有联系即为失联。失联不等于违规。",
    Cause.TAMPER: "不得剪断、松脱、拆开电子定位装置；此类情况只能由工作人员核查后结案。",
    Cause.INTERFERENCE: "不得关闭、屏蔽、干扰电子定位装置，不得与装置分离，不得伪造位置。",
    Cause.SOS: "佩戴人求助，须立即回应；不是违规。",
    Cause.BATTERY: "佩戴人应及时充电；电量不足不是违规。",
    Cause.ORDER: "使用电子定位装置须有有效决定，期限不超过三个月（社区矫正法第二十九条）。",
    Cause.DATA: "设备的消息应连续编号；缺段不是违规。",
    Cause.SYSTEM: "同一机构多人同时失联，按系统故障处理；不是违规。",
}
RULES: Mapping[Kind, str] = {
    **{kind: _BY_CAUSE[cause] for kind, cause in KIND_CAUSE.items()},
    Kind.LEAVE_OVERDUE: "请假期满应当返回；期满后一次也未回到规定区域即为逾期。",
    Kind.LEAVE_ASTRAY: "请假期间应在批准的地点或平时的规定区域内；途中时间六小时不计。",
}
PAGES = {
    "pending": "待发送",
    "claimed": "发送中",
    "sent": "已发出",
    "delivered": "已送达",
    "read": "已读",
    "failed": "发送失败",
    "unconfirmed": "未证实",
    "moot": "已无必要",
}
CHANGES = {"opened": "开始", "updated": "更新", "closed": "结束"}
EVENTS = {
    "opened": "警情产生",
    "acknowledged": "确认",
    "resolved": "处置",
    "closed": "情形结束",
    "escalated": "升级通知",
    "delivered": "通知送达",
    "read": "已阅",
}

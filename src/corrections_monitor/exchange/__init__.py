"""Exchange with other systems: the roster comes in on schedule, violations go out (数据交换)."""

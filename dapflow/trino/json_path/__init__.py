"""The SQL standard's JSON path language, for JSON_VALUE, JSON_QUERY and JSON_EXISTS."""

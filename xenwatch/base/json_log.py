"""The agent's own log as JSON, one object a line, for who collects logs with a program."""

import json
import logging
from datetime import UTC, datetime


class JsonFormatter(logging.Formatter):
    """`time` in UTC, `level`, `logger`, `message`; of an error that was not expected also its `traceback`."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said)  # ASCII, so that no text of a guest drives a terminal

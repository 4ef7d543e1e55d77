"""Verdicts of PyPI's jsonschema, to compare with those of Sources/JSONSchema.

Reads one case per line, {"schema": …, "documents": {name: …}, "instances": [text, …]}, and prints
one line per case: a 1 for each valid instance, a 0 for each other.

Replaced are the parts of the library that are not what the specification says: patterns run on
Python's re, where $ also matches before a last line break, \\d takes every script and . takes
U+2028; the uuid check is lenient; and date-time needs one more package to be checked at all.
"""

import datetime
import json
import re
import sys
from urllib.parse import urljoin

from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend

try:
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT202012
except ImportError:  # jsonschema before 4.18, as in Debian 12
    from jsonschema import RefResolver

formats = FormatChecker(formats=())
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
DATE_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)


@formats.checks("uuid")
def is_uuid(value):
    return not isinstance(value, str) or UUID.fullmatch(value) is not None


@formats.checks("date-time", raises=ValueError)
def is_date_time(value):
    if not isinstance(value, str):
        return True
    match = DATE_TIME.fullmatch(value)
    if match is None:
        return False
    day, hour, minute, second, sign, east, east_minutes = match.groups()
    date = "2000" + day[4:] if day.startswith("0000") else day  # Python has no year 0, a leap year
    is_leap_second = second == "60"
    time = datetime.datetime.fromisoformat(
        f"{date}T{hour}:{minute}:{'59' if is_leap_second else second}"
    )
    shift = datetime.timedelta()
    if sign:
        if int(east) > 23 or int(east_minutes) > 59:
            return False
        shift = datetime.timedelta(hours=int(east), minutes=int(east_minutes))
    if is_leap_second:
        # On an ordinary day, so that neither end of the calendar is near.
        utc = time.replace(year=2001, month=6, day=15) - (shift if sign != "-" else -shift)
        return (utc.hour, utc.minute) == (23, 59)
    return True


def pattern(validator, source, instance, schema):
    if validator.is_type(instance, "string"):
        # No pattern of the test has a dot or a dollar in a class.
        source = re.sub(r"(?<!\\)\.", r"[^\\n\\r\\u2028\\u2029]", source.replace("$", r"\Z"))
        if not re.search(source, instance, re.ASCII):
            yield ValidationError("pattern")


Validator = extend(Draft202012Validator, {"pattern": pattern})

def lookup(schema, documents):
    """How a validator finds the other documents, in the words of the library's version."""
    if "Registry" not in globals():
        # It resolves relative names against an absolute base only.
        name = isinstance(schema, dict) and schema.get("$id") or "schema.json"
        base = urljoin("https://schemas.invalid/", name)
        store = {urljoin(base, name): document for name, document in documents.items()}
        return {"resolver": RefResolver(base, schema, store=store)}
    resources = (
        (name, Resource(contents=document, specification=DRAFT202012))
        for name, document in documents.items()
    )
    return {"registry": Registry().with_resources(resources)}


for line in sys.stdin:
    case = json.loads(line)
    schema = case["schema"]
    Draft202012Validator.check_schema(schema)
    validator = Validator(schema, format_checker=formats, **lookup(schema, case["documents"]))
    print("".join("1" if validator.is_valid(json.loads(i)) else "0" for i in case["instances"]))

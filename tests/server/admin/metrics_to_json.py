"""metrics_to_json FILE: what Prometheus's own Python client reads from a /metrics page, as JSON."""

import json
import sys

from prometheus_client.parser import text_string_to_metric_families


def main():
    with open(sys.argv[1], encoding="utf-8", newline="") as page:
        families = list(text_string_to_metric_families(page.read()))
    json.dump(
        [
            {
                "name": family.name,
                "type": family.type,
                "help": family.documentation,
                "samples": [
                    {"name": s.name, "labels": s.labels, "value": s.value} for s in family.samples
                ],
            }
            for family in families
        ],
        sys.stdout,
    )


if __name__ == "__main__":
    main()

"""Names the host of a service: `AIRFLOW__CORE__HOSTNAME_CALLABLE` of services on one machine."""

import os


def host_name() -> str:
    return os.environ["C2C_TEST_HOST"]

#!/bin/sh
# Make the catalogue's role and database beside Airflow's: PostgreSQL's image runs this at the first start.
set -eu
# psql reads the password itself: as an argument, it would be in the list of processes.
psql --quiet --username="$POSTGRES_USER" --dbname="${POSTGRES_DB:-$POSTGRES_USER}" \
    --set=ON_ERROR_STOP=1 <<'SQL'
\getenv password CATALOGUE_PASSWORD
CREATE ROLE case2code LOGIN PASSWORD :'password';
CREATE DATABASE case2code OWNER case2code;
REVOKE CONNECT ON DATABASE airflow, case2code FROM PUBLIC;
SQL

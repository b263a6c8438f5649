#!/bin/sh
# The role that the servers log in as. The image of PostgreSQL runs this once, when it makes the database.
#
# It owns nothing and may do what `idp_app` may, which `idp migrate` decides; that command finds `idp_app` made.
set -e

# psql reads the password from the environment: among its arguments every process on the machine could see it. A statement
# that fails is not to stand in the log either, since the password is in it.
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<'SQL'
\getenv password SERVER_PASSWORD
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
SET log_min_duration_statement = -1;
BEGIN;
CREATE ROLE idp_app
    NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
CREATE ROLE idp_server
    LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
    PASSWORD :'password' IN ROLE idp_app;
COMMIT;
SQL

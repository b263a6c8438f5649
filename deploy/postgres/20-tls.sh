#!/bin/sh
# A certificate that this database alone has. In production mode the server takes no way across a network that is not encrypted.
#
# Nobody vouches for it, so that `sslmode=require` is as much as a client can ask for; docs/deployment.md says how to have more.
set -e

(
    umask 077
    openssl req -new -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
        -subj /CN=postgres -addext subjectAltName=DNS:postgres \
        -keyout "$PGDATA/server.key" -out "$PGDATA/server.crt"
)
# From the next start on, which the image does as soon as it has run this.
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" \
    --command="ALTER SYSTEM SET ssl = on"

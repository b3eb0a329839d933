# One image for members, the controller and the chart's jobs.
#
#   docker build -t synod:dev .
#
# The lock file names the version and the checksum of every package. `npm ci` would insist on the packages of all platforms being
# offered by the registry, which mirrors seldom do; `npm install` takes the same versions.

FROM node:26-bookworm-slim AS compiled
WORKDIR /opt/synod
COPY package.json package-lock.json ./
RUN npm install --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
# Types are for people who build with the library; nobody does in a container.
RUN npm run build -- --declaration false

FROM node:26-bookworm-slim AS installed
WORKDIR /opt/synod
COPY package.json package-lock.json ./
# No package that synod needs has an install script. Types, source maps, tests and pages to read are two thirds of what is installed.
RUN npm install --omit=dev --ignore-scripts --no-audit --no-fund \
  && find node_modules -type f \( -name '*.ts' -o -name '*.[cm]ts' -o -name '*.map' -o -iname '*.md' -o -name '*.bare' \) -delete \
  && find node_modules -type d \( -name test -o -name tests -o -name benchmark -o -name benchmarks -o -name .github \) -prune -exec rm -r {} + \
  && rm -r node_modules/@types node_modules/.package-lock.json \
  && find node_modules -type d -empty -delete
COPY LICENSE ./
COPY bin ./bin
COPY --from=compiled /opt/synod/dist ./dist

FROM node:26-bookworm-slim
LABEL org.opencontainers.image.title="synod" \
  org.opencontainers.image.description="Paxos you can deploy: member, controller and the jobs of the chart" \
  org.opencontainers.image.licenses="Apache-2.0"
# tini reaps and passes signals on as process 1. Package managers have no business in a running member.
RUN apt-get update \
  && apt-get install -y --no-install-recommends tini \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/log/apt /var/log/dpkg.log \
    /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /opt/yarn* /usr/local/bin/yarn* \
  && groupadd --gid 65532 synod \
  && useradd --uid 65532 --gid 65532 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin synod \
  && ln -s /opt/synod/bin/synod.mjs /usr/local/bin/synod
COPY --from=installed /opt/synod /opt/synod
ENV NODE_ENV=production
USER 65532:65532
WORKDIR /opt/synod
EXPOSE 7400
ENTRYPOINT ["/usr/bin/tini", "--", "synod"]
CMD ["--help"]

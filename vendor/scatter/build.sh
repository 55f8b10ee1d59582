#!/usr/bin/env bash
# Makes src/w2v/atlas/page/scatter.js, the WebGL library in the pages of w2v map: the packages of package-lock.json as one
# script, with the licences of all that is in it. Needs node and npm; run it again when a version in package.json changes.
set -euo pipefail
cd "$(dirname "$0")"
npm ci --ignore-scripts --silent
target=../../src/w2v/atlas/page
./node_modules/.bin/esbuild entry.js --bundle --minify --format=iife --global-name=scatter --legal-comments=none \
    --target=es2022 \
    --outfile=scatter.js --log-level=warning
sed -i 's#https://www\.[a-z]*\.com/package/##' scatter.js  # a page that asks for nothing names no address
# All packages but the bundler, each with the text of its licence: regl-scatterplot has some of them built in.
node -e '
const fs = require("fs");
const folders = fs.readdirSync("node_modules").filter((name) => !/^\.|esbuild/.test(name));
const names = folders.flatMap((name) => name[0] === "@" ? fs.readdirSync(`node_modules/${name}`).map((one) => `${name}/${one}`) : name);
for (const name of names.sort()) {
    const about = JSON.parse(fs.readFileSync(`node_modules/${name}/package.json`));
    const file = fs.readdirSync(`node_modules/${name}`).find((entry) => /^licen[cs]e/i.test(entry));
    const text = fs.readFileSync(`node_modules/${name}/${file}`, "utf8").trim();
    console.log(`${name} ${about.version} (${about.license})\n\n${text}\n\n${"-".repeat(80)}\n`);
}' > scatter.LICENSES.txt
mv scatter.js scatter.LICENSES.txt "$target/"
sha256sum "$target/scatter.js"

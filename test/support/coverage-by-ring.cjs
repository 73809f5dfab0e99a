/** A reporter for `npm run coverage`: the lines that unit tests cover, ring by ring, as its floors count them. */
const process = require('node:process');

const rings = ['src/core', 'src/engine', 'src/cli', 'src/extension', 'webview'];

/** Istanbul makes one and calls `execute` (istanbul-lib-report). */
module.exports = class CoverageByRing {
  execute(context) {
    const lines = new Map(rings.map((ring) => [ring, { covered: 0, total: 0 }]));
    context.getTree('flat').visit({
      onDetail: (file) => {
        const path = file.getFileCoverage().path.slice(process.cwd().length + 1);
        const sum = lines.get(rings.find((ring) => path.startsWith(ring)));
        if (sum !== undefined) {
          const { covered, total } = file.getCoverageSummary().lines;
          sum.covered += covered;
          sum.total += total;
        }
      },
    });
    for (const [ring, { covered, total }] of lines) {
      process.stdout.write(`${ring.padEnd(14)} ${((100 * covered) / total).toFixed(1)}% of ${total} lines\n`);
    }
  }
};

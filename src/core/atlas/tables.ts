import { formatCount, formatFigure, formatShare } from '../format';
import { type Atlas, distanceLabels, layerMeans, type LayerMeans } from './atlas';
import type { TextTable } from '../report/html';
import { keptLabel, keptShares } from './oracle-curve';

/** Where the attention of each layer goes, means over its heads. */
export function layerTable(atlas: Atlas): TextTable {
  return {
    title: 'Where attention goes: means over the heads of a layer',
    header: ['layer', ...meansHeader(atlas)],
    rows: layerMeans(atlas).map((means) => [String(means.layer + 1), ...meansCells(means)]),
  };
}

/** The same for each head. */
export function headTable(atlas: Atlas): TextTable {
  return {
    title: 'Where attention goes: each head',
    header: ['layer', 'head', ...meansHeader(atlas), ...keptShares.map((share) => `tiles ${keptLabel(share)}`)],
    rows: atlas.heads.map((head) => [
      String(head.layer + 1),
      String(head.head + 1),
      ...meansCells({ ...head, spread: Math.exp(head.entropy), cut: head.cut?.share ?? null }),
      ...head.fewest.map((tiles) => formatShare(tiles / head.tiles)),
    ]),
  };
}

/** The fewest tiles that keep shares of the mass, by layer and in all. */
export function oracleTable({ layers, oracle }: Atlas): TextTable {
  const rows = [...layers.map((curve) => ({ name: String(curve.layer + 1), curve })), { name: 'all', curve: oracle }];
  const cell = (tiles: number, of: number): string => `${formatCount(tiles)} (${formatShare(tiles / of)})`;
  return {
    title: 'Fewest tiles that keep the mass: of every query block of every head, and of all together',
    header: [
      'layer',
      'tiles read',
      ...keptShares.map((share) => `each ${keptLabel(share)}`),
      ...keptShares.map((share) => `together ${keptLabel(share)}`),
    ],
    rows: rows.map(({ name, curve: { tiles, kept } }) => [
      name,
      formatCount(tiles),
      ...kept.map(({ eachBlock }) => cell(eachBlock, tiles)),
      ...kept.map(({ together }) => cell(together, tiles)),
    ]),
  };
}

/** Columns that atlases have in common; a learned sink, and a cut, only where there is one. */
function meansHeader({ heads: [{ byDistance, learnedSink, cut }] }: Atlas): string[] {
  return [
    ...(cut === null ? [] : ['cut off']),
    'spread over',
    'first token',
    'first tile',
    ...(learnedSink === null ? [] : ['learned sink']),
    ...distanceLabels(byDistance.length).map((label, index) => (index === 0 ? 'own block' : `${label} away`)),
  ];
}

function meansCells({ cut, spread, firstToken, firstTile, learnedSink, byDistance }: Omit<LayerMeans, 'layer'>): string[] {
  const known = (share: number | null): string => (share === null ? '-' : formatShare(share));
  return [
    ...(cut === null ? [] : [formatShare(cut)]),
    formatFigure(spread),
    known(firstToken),
    known(firstTile),
    ...(learnedSink === null ? [] : [formatShare(learnedSink)]),
    ...byDistance.map(formatShare),
  ];
}

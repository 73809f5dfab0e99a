/** Items that are kept among the resources: what every locale needs, and English. */
const kept =
  /^(root|en|en_US|pool|res_index|supplementalData|tzdbNames|keyTypeData|numberingSystems|likelySubtags|metaZones|timezoneTypes|zoneinfo64|windowsZones|metadata|currencyNumericCodes|dayPeriods|genderList|grammaticalFeatures|icustd|icuver|langInfo|plurals|pluralRanges|units)$/;

/**
 * A Node binary whose languages but English, converters and dictionaries are zeros: it packs to two thirds, which a bundle of 64 MiB
 * needs. They are items of ICU's common data, which begins with a header that names its format, `CmnD`, and a table of contents: a
 * count, then offsets of names and of data, from the table's beginning (ICU, `ucmndata.h`).
 *
 * @returns the same bytes where there is no such table
 */
export function withoutLocales(binary: Buffer): Buffer {
  // In the header the format comes after its own size, two bytes of magic, and the size of what follows.
  const start = binary.indexOf('\xda\x27\x14\x00\x00\x00\x00\x00\x02\x00CmnD', 'latin1') - 2;
  if (start < 0) {
    return binary;
  }
  const table = start + binary.readUInt16LE(start);
  const count = binary.readUInt32LE(table);
  const nameOf = (index: number): string => {
    const from = table + binary.readUInt32LE(table + 4 + 8 * index);
    return binary.toString('latin1', from, binary.indexOf(0, from));
  };
  const dataOf = (index: number): number => table + binary.readUInt32LE(table + 8 + 8 * index);
  const trimmed = Buffer.from(binary);
  // The last item ends where only the linker knows.
  for (let index = 0; index + 1 < count; index += 1) {
    const [name, kind] = (nameOf(index).split('/').at(-1) ?? '').split('.');
    if (kind === 'cnv' || kind === 'dict' || (kind === 'res' && !kept.test(name))) {
      trimmed.fill(0, dataOf(index), dataOf(index + 1));
    }
  }
  return trimmed;
}

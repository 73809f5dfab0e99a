import { formatBytes, formatCount, formatDuration, formatShare } from '../format';
import { t } from '../l10n';
import { shown } from '../text/printable';

/** A file of a repository, with the digest that names it in the cache. */
export interface HubFile {
  readonly name: string;
  readonly bytes: number;
  /** Of the content: SHA-256 of large files, and of others SHA-1 as Git has it. */
  readonly digest: { readonly kind: 'sha256' | 'git'; readonly hex: string };
}

/** What would be fetched: all that a user is asked to agree to. */
export interface Offer {
  readonly repository: string;
  readonly revision: string;
  /** The commit that the revision is now: this one is fetched, wherever the revision moves meanwhile. */
  readonly commit: string;
  /** Where it comes from. */
  readonly endpoint: string;
  /** As the model card says; null if it says none. */
  readonly licence: string | null;
  /** Whether its publisher asks for consent to conditions. */
  readonly isGated: boolean;
  readonly files: readonly HubFile[];
  /** Sentences about what is fetched. */
  readonly notes: readonly string[];
  /** Bytes of all files. */
  readonly bytes: number;
  /** Bytes of them that are not in the cache yet. */
  readonly missingBytes: number;
  /** The repository's folder in the cache. */
  readonly folder: string;
}

/** How far a fetch is. */
export interface FetchProgress {
  /** The file in work. */
  readonly file: string;
  /** Bytes of the model that are on the disk, and of the whole model. */
  readonly bytes: number;
  readonly totalBytes: number;
  /** Of this fetch so far; null while it cannot be said. */
  readonly bytesPerSecond: number | null;
  readonly leftMs: number | null;
}

/** Most names of files in a question. */
const shownFiles = 8;

/** What a user agrees to, a line each: repository and revision, files and size, licence, and what else to know. */
export function offerLines(offer: Offer): readonly string[] {
  const { repository, revision, commit, endpoint, licence, isGated, files, notes, bytes, missingBytes, folder } = offer;
  const names = files.map(({ name }) => shown(name, 80));
  const more = names.length - shownFiles;
  const list = [...names.slice(0, shownFiles), ...(more > 0 ? [t('{0} more', formatCount(more))] : [])].join(', ');
  return [
    t(
      'Repository: {0}, revision {1} ({2}), from {3}',
      shown(repository, 100),
      shown(revision, 60),
      commit.slice(0, 8),
      shown(endpoint, 80),
    ),
    t('Files: {0}', list),
    missingBytes === bytes
      ? t('Size: {0}', formatBytes(bytes))
      : t('Size: {0}, of which {1} are still to fetch', formatBytes(bytes), formatBytes(missingBytes)),
    t('Licence: {0}', licence ?? t('none stated')),
    ...(isGated ? [t('Its publisher asks for consent to conditions, on its page.')] : []),
    t('Into: {0}', shown(folder, 200)),
    ...notes,
  ];
}

/** How far a fetch is: bytes, rate, time left. */
export function fetchProgressText({ file, bytes, totalBytes, bytesPerSecond, leftMs }: FetchProgress): string {
  const share = formatShare(totalBytes === 0 ? 1 : bytes / totalBytes);
  const amount = t('{0} of {1}', formatBytes(bytes), formatBytes(totalBytes));
  const pace =
    bytesPerSecond === null || leftMs === null ? [] : [`${formatBytes(bytesPerSecond)}/s`, t('{0} left', formatDuration(leftMs))];
  return [share, shown(file, 60), amount, ...pace].join(', ');
}

import { join } from 'node:path';
import { InputError } from '../../../../core/errors';
import { said, text } from '../../../../core/l10n';
import { shown } from '../../../../core/text/printable';
import { SafetensorsFile } from '../safetensors';
import { checkLink } from '../shards';
import type { ReadConfig } from '../architecture';
import type { TensorPart, TensorSource } from '../tensor-source';
import type { Checkpoint, Weight } from '../weights';
import type { Adapter } from './adapter';
import { adapterWeightsFile } from './config';
import { isInLayer, longestModule, type Targets, targetsOf } from './targets';

/** A low-rank change of a tensor of the base: `scale B A`. */
interface Change {
  /** Names in the adapter's file: A is `[r, in]`, B `[out, r]`. */
  readonly a: string;
  readonly b: string;
  readonly scale: number;
  /** Whether the base's tensor is `[in, out]`: of Conv1D, and of embeddings. */
  readonly isInOut: boolean;
}

/** What PEFT writes before every name. */
const prefix = 'base_model.model.';

/** A base's tensors with a LoRA merged into them: `W + scale B A`, computed in float64 and rounded once (LoRA, arXiv 2106.09685, eq. 3). */
export class AdaptedTensors implements TensorSource {
  private constructor(
    private readonly base: TensorSource,
    private readonly file: SafetensorsFile,
    /** By the base's name of a tensor. */
    private readonly changes: ReadonlyMap<string, Change>,
    /** The adapter's name of a tensor that stands in place of the base's, or beside them, by the base's name. */
    private readonly replaced: ReadonlyMap<string, string>,
  ) {}

  /**
   * Opens an adapter before its base.
   *
   * @throws InputError where a tensor of the adapter does not belong to its configuration or its base, or one is missing
   */
  static async open(
    base: TensorSource,
    { folder, config }: Adapter,
    { modelType, run }: Pick<ReadConfig, 'modelType' | 'run'>,
  ): Promise<AdaptedTensors> {
    if (config.isInOut !== (modelType === 'gpt2')) {
      throw new InputError(
        config.isInOut
          ? `${shown(folder)}: fan_in_fan_out is true, and matrices of ${modelType} are not stored [in, out]; the adapter is of another base, or correct it.`
          : `${shown(folder)}: fan_in_fan_out is false, and matrices of ${modelType} are stored [in, out]; the adapter is of another base, or correct it.`,
      );
    }
    await checkLink(folder, adapterWeightsFile);
    const file = await SafetensorsFile.open(join(folder, adapterWeightsFile));
    const reading = new AdapterReader(base, file, targetsOf(config), config.bias, config.isInOut, folder);
    checkTied(run?.checkpoint, [...reading.changes.keys(), ...reading.replaced.keys()], base, folder);
    return new AdaptedTensors(base, file, reading.changes, reading.replaced);
  }

  get names(): Iterable<string> {
    return new Set([...this.base.names, ...this.replaced.keys()]);
  }

  get paddedBiases(): readonly string[] {
    return this.base.paddedBiases ?? [];
  }

  get mainType(): string | undefined {
    return this.base.mainType;
  }

  shapeOf(tensor: string): readonly number[] | undefined {
    return this.base.shapeOf(tensor) ?? this.file.shapeOf(this.replaced.get(tensor) ?? '');
  }

  packedBytesOf(tensor: string): number | undefined {
    return this.changes.has(tensor) || this.replaced.has(tensor) ? undefined : this.base.packedBytesOf?.(tensor);
  }

  checkType(tensor: string): void {
    const [change, own] = [this.changes.get(tensor), this.replaced.get(tensor)];
    if (own === undefined) {
      this.base.checkType(tensor);
    }
    [own, change?.a, change?.b].forEach((name) => name !== undefined && this.file.checkType(name));
  }

  hasRows(tensor: string): boolean {
    return !this.changes.has(tensor) && !this.replaced.has(tensor) && this.base.hasRows?.(tensor) === true;
  }

  read(tensor: string, part?: TensorPart): Weight {
    const own = this.replaced.get(tensor);
    const weight = own === undefined ? this.base.read(tensor, part) : this.file.read(own);
    const change = this.changes.get(tensor);
    return change === undefined ? weight : merged(weight, this.file.read(change.a), this.file.read(change.b), change);
  }
}

/**
 * Refuses a changed embedding that is the head as well: PEFT's own forward pass changes the one and not the other, and its merge
 * changes both.
 */
function checkTied(checkpoint: Checkpoint | undefined, changed: readonly string[], base: TensorSource, folder: string): void {
  const { words } = checkpoint?.embedding ?? {};
  const { headWeight } = checkpoint?.head ?? {};
  const isOf = (weight: string | undefined, name: string): boolean =>
    weight !== undefined && (name === weight || name.endsWith(`.${weight}`) || weight.endsWith(`.${name}`));
  const tied = changed.find((name) => headWeight?.tensor === words?.tensor && isOf(words?.tensor, name));
  const ownHead = [...base.names, ...changed].some((name) => isOf(headWeight?.unless, name));
  if (tied !== undefined && !ownHead) {
    throw new InputError(
      `${shown(folder)}: ${shown(tied, 100)} is changed, which is the base's output head as well, so that it is not known what the head should be; use an adapter with a head of its own, or merge it with PEFT.`,
    );
  }
}

/** `W + scale B A`, or `W + scale (B A)^T` where W is `[in, out]`. */
function merged({ shape, data }: Weight, a: Weight, b: Weight, { scale, isInOut }: Change): Weight {
  const [rank, inputs] = a.shape;
  // A row of the stored matrix is a combination of the rows of one factor by a row of the other.
  const outputs = b.shape[0];
  const by = isInOut ? transposed(a.data, rank, inputs) : b.data;
  const rows = isInOut ? transposed(b.data, outputs, rank) : a.data;
  const width = isInOut ? outputs : inputs;
  const result = new Float32Array(data.length);
  const sum = new Float64Array(width);
  for (let row = 0; row < data.length / width; row += 1) {
    sum.fill(0);
    for (let k = 0; k < rank; k += 1) {
      const factor = by[row * rank + k];
      const from = k * width;
      for (let column = 0; column < width; column += 1) {
        sum[column] += factor * rows[from + column];
      }
    }
    for (let column = 0; column < width; column += 1) {
      result[row * width + column] = data[row * width + column] + scale * sum[column];
    }
  }
  return { shape, data: result };
}

function transposed(data: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from(data, (_, index) => data[(index % rows) * columns + Math.floor(index / rows)]);
}

/** Reads what each tensor of an adapter is to its base. @throws InputError for one that is nothing */
class AdapterReader {
  readonly changes = new Map<string, Change>();
  readonly replaced = new Map<string, string>();
  private readonly bases: ReadonlySet<string>;

  constructor(
    base: TensorSource,
    private readonly file: SafetensorsFile,
    private readonly targets: Targets,
    private readonly bias: 'none' | 'all' | 'lora_only',
    private readonly isInOut: boolean,
    private readonly folder: string,
  ) {
    this.bases = new Set(base.names);
    for (const name of file.names) {
      this.take(name, base);
    }
    this.checkComplete(base);
  }

  private take(name: string, base: TensorSource): void {
    const own = name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
    if (own === undefined || own.length > longestModule) {
      throw this.refusal(name, text('is no tensor that PEFT writes for a LoRA'));
    }
    const low = /^(.+)\.lora_(embedding_)?([AB])(?:\.default)?(?:\.weight)?$/.exec(own);
    if (low === null) {
      this.takeReplaced(name, own, base);
      return;
    }
    // A group that matched nothing is undefined, whatever its type says.
    const [, module, embedding, which] = low as unknown as readonly [string, string, string | undefined, string];
    const partner = name.replace(
      /(lora_(?:embedding_)?)([AB])((?:\.default)?(?:\.weight)?)$/,
      (_, head: string, __, end: string) => `${head}${which === 'A' ? 'B' : 'A'}${end}`,
    );
    if (this.file.shapeOf(partner) === undefined) {
      throw this.refusal(name, said`has no ${which === 'A' ? 'lora_B' : 'lora_A'} beside it`);
    }
    if (which === 'A') {
      this.takeChange(module, { a: name, b: partner }, embedding !== undefined, base);
    }
  }

  private takeChange(module: string, { a, b }: { readonly a: string; readonly b: string }, isEmbedding: boolean, base: TensorSource): void {
    if (!this.targets.has(module)) {
      throw this.refusal(a, text('is of a module that target_modules does not name'));
    }
    const tensor = this.baseOf(`${module}.weight`);
    if (tensor === undefined) {
      throw this.refusal(a, text('changes a module that the base does not have: it is of another base'));
    }
    if (this.changes.has(tensor)) {
      throw this.refusal(a, text('is there twice under two names'));
    }
    const isInOut = isEmbedding || this.isInOut;
    const shape = base.shapeOf(tensor) ?? [];
    const [outputs, inputs] = isInOut ? [...shape].reverse() : shape;
    const rank = this.targets.rankOf(module);
    const found = [this.file.shapeOf(a) ?? [], this.file.shapeOf(b) ?? []];
    if (shape.length !== 2 || found.join('; ') !== `${rank},${inputs}; ${outputs},${rank}`) {
      throw this.refusal(
        a,
        said`and its lora_B are [${found.map((each) => each.join(', ')).join('] and [')}], where rank ${rank} and the base's [${shape.join(', ')}] mean [${rank}, ${inputs}] and [${outputs}, ${rank}]: it is of another base or configuration`,
      );
    }
    this.changes.set(tensor, { a, b, isInOut, scale: this.targets.scaleOf(module) });
  }

  /** A tensor that stands for a whole one of the base. */
  private takeReplaced(name: string, own: string, base: TensorSource): void {
    const plain = own.replace(/\.modules_to_save(\.default)?\./, '.').replace(/\.base_layer\./, '.');
    const module = plain.replace(/\.[^.]+$/, '');
    const isBias = plain.endsWith('.bias') && (this.bias === 'all' || (this.bias === 'lora_only' && this.targets.has(module)));
    if (!isBias && !this.targets.replaces(module)) {
      throw this.refusal(name, text('is neither low-rank nor of a module of modules_to_save'));
    }
    const tensor = this.baseOf(plain) ?? plain;
    const [shape, expected] = [this.file.shapeOf(name) ?? [], base.shapeOf(tensor)];
    if (expected !== undefined && shape.join() !== expected.join()) {
      throw this.refusal(
        name,
        said`is [${shape.join(', ')}] and the base's is [${expected.join(', ')}]: it is of another base, or has other tokens`,
      );
    }
    if (this.replaced.has(tensor)) {
      throw this.refusal(name, text('is there twice under two names'));
    }
    this.replaced.set(tensor, name);
  }

  /** The base's name of a tensor: perhaps without the base model's prefix, or with one. */
  private baseOf(tensor: string): string | undefined {
    const rest = tensor.slice(tensor.indexOf('.') + 1);
    const known = [tensor, rest].find((name) => this.bases.has(name));
    if (known !== undefined) {
      return known;
    }
    const longer = [...this.bases].filter((name) => name.endsWith(`.${tensor}`));
    return longer.length === 1 ? longer[0] : undefined;
  }

  /** Refuses an adapter that has nothing for a module that it should change: it would be a part of itself. */
  private checkComplete(base: TensorSource): void {
    if (this.changes.size + this.replaced.size === 0) {
      throw new InputError(`${shown(this.folder)}: ${adapterWeightsFile} changes nothing; use another adapter.`);
    }
    for (const tensor of this.bases) {
      const module = tensor.replace(/\.weight$/, '');
      const isMatrix = module !== tensor && base.shapeOf(tensor)?.length === 2 && isInLayer(module) && module.length <= longestModule;
      if (isMatrix && this.targets.has(module) && !this.changes.has(tensor)) {
        throw new InputError(
          `${shown(this.folder)}: target_modules names ${shown(module, 100)}, for which ${adapterWeightsFile} has nothing; it is of another base, or not whole.`,
        );
      }
    }
  }

  private refusal(name: string, wrong: string): InputError {
    return new InputError(`${shown(this.folder)}: ${shown(name, 120)} ${wrong}; use another adapter.`);
  }
}

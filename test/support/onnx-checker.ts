import { fromBinary } from '@bufbuild/protobuf';
import {
  ModelProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
  type ModelProto,
  type NodeProto,
  type TensorProto,
} from '../../src/engine/attend/onnx/generated/onnx_pb';

const elementBytes: ReadonlyMap<number, number> = new Map([
  [TensorProto_DataType.FLOAT, 4],
  [TensorProto_DataType.FLOAT16, 2],
  [TensorProto_DataType.INT64, 8],
]);

/**
 * What is wrong with a model by the rules of the ONNX specification that need no operator schemas: versions, imports,
 * single assignment, topological order, functions and their arity, sizes of constants. Empty where nothing is.
 */
export function onnxComplaints(bytes: Uint8Array): string[] {
  const model = fromBinary(ModelProtoSchema, bytes);
  const complaints: string[] = [];
  const complain = (text: string): void => void complaints.push(text);
  const { graph } = model;
  if (graph === undefined) {
    return ['the model has no graph'];
  }
  if (model.irVersion < 3n || (model.functions.length > 0 && model.irVersion < 8n)) {
    complain(`IR version ${model.irVersion} has no model-local functions`);
  }
  const imports = new Map(model.opsetImport.map(({ domain, version }) => [domain, version]));
  checkCalls(model, imports, complain);
  checkScope(
    graph.node,
    [...graph.input, ...graph.initializer].map(({ name }) => name),
    graph.output.map(({ name }) => name),
    imports,
    complain,
  );
  for (const f of model.functions) {
    const own = new Map(f.opsetImport.map(({ domain, version }) => [domain, version]));
    checkScope(f.node, f.input, f.output, own, (text) => complain(`function ${f.name}: ${text}`));
  }
  graph.initializer.forEach((tensor) => checkTensor(tensor, complain));
  for (const { name, type } of [...graph.input, ...graph.output]) {
    if (type?.value.case !== 'tensorType' || type.value.value.shape === undefined) {
      complain(`${name} has no shape`);
    }
  }
  return complaints;
}

/** Calls of model-local functions must exist and take what the function takes. */
function checkCalls({ functions, graph }: ModelProto, imports: ReadonlyMap<string, bigint>, complain: (text: string) => void): void {
  const known = new Map(functions.map((f) => [`${f.domain}.${f.name}`, f]));
  if (known.size !== functions.length) {
    complain('two functions have one name');
  }
  for (const { domain, opType, name, input, output } of graph?.node ?? []) {
    const called = known.get(`${domain}.${opType}`);
    if (domain !== '' && called === undefined) {
      complain(`${name} calls ${domain}.${opType}, which is not in the model`);
    } else if (called && (called.input.length !== input.length || called.output.length < output.length)) {
      complain(`${name} calls ${opType} with ${input.length} inputs and ${output.length} outputs`);
    }
    if (!imports.has(domain)) {
      complain(`${name} is of domain "${domain}", which is not imported`);
    }
  }
}

/** Every value is assigned once, before it is read. */
function checkScope(
  nodes: readonly NodeProto[],
  given: readonly string[],
  outputs: readonly string[],
  imports: ReadonlyMap<string, bigint>,
  complain: (text: string) => void,
): void {
  const assigned = new Set<string>();
  const assign = (name: string): void => {
    if (assigned.has(name) || name === '') {
      complain(`"${name}" is assigned twice, or is no name`);
    }
    assigned.add(name);
  };
  given.forEach(assign);
  const names = new Set<string>();
  for (const { name, input, output, domain } of nodes) {
    if (names.has(name)) {
      complain(`two nodes are named ${name}`);
    }
    names.add(name);
    input.filter((value) => !assigned.has(value)).forEach((value) => complain(`${name} reads ${value} before it is assigned`));
    output.forEach(assign);
    if (!imports.has(domain)) {
      complain(`${name} is of domain "${domain}", which is not imported`);
    }
  }
  outputs.filter((value) => !assigned.has(value)).forEach((value) => complain(`output ${value} is never assigned`));
}

/** A constant has as many bytes as its shape says, here or in an external file. */
function checkTensor({ name, dims, dataType, rawData, dataLocation, externalData }: TensorProto, complain: (text: string) => void): void {
  const bytes = dims.reduce((product, size) => product * Number(size), elementBytes.get(dataType) ?? NaN);
  const external = new Map(externalData.map(({ key, value }) => [key, value]));
  const stored = dataLocation === TensorProto_DataLocation.EXTERNAL ? Number(external.get('length')) : rawData.length;
  if (stored !== bytes) {
    complain(`constant ${name} of ${dims.join(' x ')} has ${stored} bytes, not ${bytes}`);
  }
  if (
    dataLocation === TensorProto_DataLocation.EXTERNAL &&
    (external.get('location') === undefined || Number(external.get('offset')) % 4096 !== 0)
  ) {
    complain(`constant ${name} has no file, or begins where no page does`);
  }
}

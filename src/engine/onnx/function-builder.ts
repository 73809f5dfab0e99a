import { create } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  FunctionProtoSchema,
  NodeProtoSchema,
  type FunctionProto,
  type TensorProto,
} from '../attend/onnx/generated/onnx_pb';
import { operatorSet, opsetVersion } from '../attend/onnx/graph-builder';
import { Operators, type Value } from '../attend/onnx/operators';

/** The domain of Two Heads' own functions. */
export const functionDomain = 'two-heads';

/** A model-local function: a subgraph with a name, which nodes call like an operator. */
export interface ModelFunction {
  readonly opType: string;
  readonly domain: string;
  readonly proto: FunctionProto;
}

/** Builds a model-local function (FunctionProto, since IR version 8). It has no initializers: constants are nodes. */
export class FunctionBuilder extends Operators {
  private readonly proto: FunctionProto;

  constructor(private readonly name: string) {
    const proto = create(FunctionProtoSchema, { name, domain: functionDomain, opsetImport: [operatorSet('', opsetVersion)] });
    super(proto.node);
    this.proto = proto;
  }

  input(name: string): Value {
    this.proto.input.push(name);
    return { name };
  }

  output(name: string, value: Value): void {
    this.append('Identity', [value], {}, [name]);
    this.proto.output.push(name);
  }

  /** @param documentation what it computes, for viewers */
  build(documentation: string): ModelFunction {
    this.proto.docString = documentation;
    return { opType: this.name, domain: functionDomain, proto: this.proto };
  }

  protected override constant(tensor: TensorProto): Value {
    const name = this.fresh('constant');
    const value = create(AttributeProtoSchema, { name: 'value', type: AttributeProto_AttributeType.TENSOR, t: tensor });
    this.proto.node.push(create(NodeProtoSchema, { opType: 'Constant', name, output: [name], attribute: [value] }));
    return { name };
  }
}

/** The type of an array for each dtype. */
export type Numbers =
  | Float32Array | Float64Array | BigInt64Array | Int32Array | Int16Array | Int8Array | Uint8Array;

/** An input or an output. */
export interface Tensor {
  readonly name: string;
  readonly dtype: "float32" | "float64" | "int64" | "int32" | "int16" | "int8" | "uint8" | "bool";
  /** Sizes; a dynamic one is a name. */
  readonly shape: ReadonlyArray<number | string>;
}

/** Values for inputs in row-major order, by name or in the order of `inputs`. */
export type Inputs =
  | ReadonlyArray<Numbers | ReadonlyArray<number>>
  | Readonly<Record<string, Numbers | ReadonlyArray<number>>>;

/** What is wrong with a file or with what a model was given, in one sentence. */
export class ModelError extends Error {}

/** A model in memory of its own. */
export class Model {
  readonly inputs: ReadonlyArray<Tensor>;
  readonly outputs: ReadonlyArray<Tensor>;
  /** The outputs by name, each an array in row-major order. */
  run(inputs: Inputs): Record<string, Numbers>;
  /** Whether the model was exported with its training step. */
  readonly canTrain: boolean;
  /** One step of the optimizer on a batch; gives the loss. What `run` uses is updated. */
  train(inputs: Inputs): number;
  /** The state of training as it was exported: parameters, and what the optimizer remembers. */
  readonly firstState: Uint8Array;
  /** Gives the state of training other values. */
  setState(block: Uint8Array): void;
  /** Runs the recorded examples, and changes nothing; gives the largest difference, or throws a ModelError. */
  selftest(): number;
}

/**
 * Reads model.wasm and what lies beside it, compares them with their checksums, and makes a Model.
 *
 * @param read gives the content of a file by its name; by default from beside this module.
 */
export function load(read?: (name: string) => Promise<Uint8Array>): Promise<Model>;

/** What the files are, and what goes in and comes out. */
export const description: Readonly<Record<string, unknown>>;

import { Variable } from "@robgrad/autograd";
import { codedError, type Tensor } from "@robgrad/tensor";
import { checkElements } from "@robgrad/tensor/kernels";

/**
 * The share of samples whose largest logit is that of their label.
 *
 * @param logits  [N, C]; a tie goes to the lowest class.
 * @param labels  int32 [N].
 * @returns       A tensor of rank 0 in [0, 1].
 * @throws        SHAPE_MISMATCH unless there is one label per sample, DTYPE_MISMATCH unless labels are int32; a label
 *                out of range makes the next read reject with BAD_DATA.
 * @example       accuracy(device.tensor([[0, 1], [2, 1]]), device.tensor([1, 1], { dtype: "int32" }))
 */
export function accuracy(logits: Variable | Tensor, labels: Tensor): Tensor {
  const y = Variable.is(logits) ? logits.value : logits;
  if (y.shape.length !== 2 || labels.shape.length !== 1 || y.shape[0] !== labels.shape[0] || y.shape[0] === 0) {
    throw codedError(
      "SHAPE_MISMATCH",
      `accuracy: expected logits [N, C] and labels [N], found [${y.shape.join(", ")}] and [${labels.shape.join(", ")}]`,
    );
  }
  if (labels.dtype !== "int32")
    throw codedError("DTYPE_MISMATCH", `accuracy: expected int32 labels, found ${labels.dtype}`);
  const classes = y.shape[1] as number;
  checkElements(
    labels,
    { outside: [0, classes] },
    { kind: "index out of range", node: "accuracy", parameter: "labels" },
  );
  return y.argmax({ axis: 1 }).equal(labels).cast(y.dtype).mean();
}

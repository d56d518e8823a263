export { aggregate, medianOfMeans } from "@robgrad/aggregators";
export { sampleGradients } from "@robgrad/autograd";
export { Linear, relu, Sequential, sgd, softmaxCrossEntropy } from "@robgrad/nn";
export { openDevice } from "@robgrad/tensor";

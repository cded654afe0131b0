"""Functions of neural networks, by the names and with the parameters of torch.nn.functional: channels come first, (batch, channels, spatial...)."""
from ._ordering import top_k
from .composed.activations import (celu, elu, glu, gumbel_softmax, hardshrink, hardsigmoid, hardswish, hardtanh, leaky_relu, log_sigmoid, mish, prelu, relu6, rrelu,
                                   selu, softmin, softshrink, softsign, tanhshrink, threshold)
from .composed.layers import (alpha_dropout, batch_norm, bilinear, dropout, dropout1d, dropout2d, dropout3d, embedding, embedding_bag, group_norm, instance_norm,
                              layer_norm, linear, normalize, one_hot, rms_norm, scaled_dot_product_attention, segment_max, segment_mean, segment_min, segment_sum)
from .composed.losses import (binary_cross_entropy, binary_cross_entropy_with_logits, cosine_embedding_loss, cosine_similarity, cross_entropy, gaussian_nll_loss,
                              hinge_embedding_loss, huber_loss, kl_div, l1_loss, margin_ranking_loss, mse_loss, multi_margin_loss, multilabel_margin_loss,
                              multilabel_soft_margin_loss, nll_loss, pairwise_distance, poisson_nll_loss, smooth_l1_loss, soft_margin_loss, triplet_margin_loss)
from .composed.pools import (adaptive_avg_pool3d, adaptive_max_pool3d, local_response_norm, lp_pool1d, lp_pool2d, max_unpool1d, max_unpool2d, max_unpool3d)
from .composed.resizing import channel_shuffle, interpolate, istft, pad, pixel_shuffle, pixel_unshuffle, stft
from .composed.sampling import affine_grid, grid_sample
from .composed.sequences import ctc_loss
from .composed.special import gelu, relu, sigmoid, silu, softplus
from .composed.statistics import log_softmax, logsumexp, softmax
from .composed.windows import (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_max_pool1d, adaptive_max_pool2d, avg_pool1d, avg_pool2d, avg_pool3d, conv1d,
                               conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d, fold, max_pool1d, max_pool2d, max_pool3d, unfold)
from ._ops import tanh

__all__ = sorted(name for name in globals() if not name.startswith("_") and callable(globals()[name]))

#define SOMA_KERNEL_SET kernels_v4
#include "model/torch/kernels_body.hpp"

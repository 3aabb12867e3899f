#define SOMA_KERNEL_SET kernels_portable
#include "model/torch/kernels_body.hpp"

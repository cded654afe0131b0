// Fourier transforms. Plans are kept for the next call.
#include "lib/Library/Library.h"

#define POCKETFFT_CACHE_SIZE 16
#include "lib/Library/Fourier.h"

namespace kiln::library {

int32_t fft(const kiln_tensor *tensors, const int64_t *words) { return fourier::fft(tensors, words); }
int32_t rfft(const kiln_tensor *tensors, const int64_t *words) { return fourier::rfft(tensors, words); }
int32_t irfft(const kiln_tensor *tensors, const int64_t *words) { return fourier::irfft(tensors, words); }

} // namespace kiln::library

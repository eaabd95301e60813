#include "fft_kernel_impl.hpp"

namespace regrain::fft {

template void transform(const Line<float>&, const Columns<float>&);
template void transform(const Line<float>&, const Rows<float>&);
template void transform(const Line<float>&, const TurnedRows<float>&);
template void forward(const RealLine<float>&, const RealRows<float>&);
template void backward(const RealLine<float>&, const SpectrumRows<float>&);

}  // namespace regrain::fft

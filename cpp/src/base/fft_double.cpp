#include "fft_kernel_impl.hpp"

namespace regrain::fft {

template void transform(const Line<double>&, const Columns<double>&);
template void transform(const Line<double>&, const Rows<double>&);
template void transform(const Line<double>&, const TurnedRows<double>&);
template void forward(const RealLine<double>&, const RealRows<double>&);
template void backward(const RealLine<double>&, const SpectrumRows<double>&);

}  // namespace regrain::fft

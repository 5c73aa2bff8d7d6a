/** TensorBoard event files of scalars. Local.
 *
 *  A record: 8 bytes little-endian length, masked CRC32C of those, the bytes of a tensorflow.Event
 *  (protocol buffers), masked CRC32C of them. The times of events are their steps, so the same
 * training gives the same bytes. TensorBoard reads files whose name holds "tfevents". Source:
 * tensorflow/core/lib/io/record_writer.h, tensorflow/core/util/event.proto,
 * tensorflow/core/framework/summary.proto (simple_value); RFC 3720, B.4 (CRC32C).
 */
#ifndef GP_IO_EVENTS_H
#define GP_IO_EVENTS_H

#include "src/base/text.h"
#include <stdint.h>

/** Appends what every event file begins with ("brain.Event:2"). On failure (memory) the bytes are
 *  as they were. */
int gp_events_begin(gp_text *bytes, gp_err *err);

/** Appends the value of a scalar at a step (0 or more), in float32; NaN and infinities as they are.
 *    tag  in  UTF-8; "/" groups charts: "loss/train" */
int gp_events_scalar(gp_text *bytes, const char *tag, int64_t step, double value, gp_err *err);

#endif

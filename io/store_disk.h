/** A file driver for HDF5 that outlives a full disk. Private to io/store_*.c and io/grm_*.c.
 *
 *  Where a write fails, HDF5 cannot close the file any more and falls over at the end of the
 * process (1.10.8: in H5F__close_cb, called when the process ends). So this driver remembers
 * the first failure, takes every further write as done, and lets HDF5 go its way to the close; the
 * store's writer looks at the failure and removes the file.
 */
#ifndef GP_IO_STORE_DISK_H
#define GP_IO_STORE_DISK_H

#include <hdf5.h>

#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

/** One file being written. It belongs to the caller and must outlive the HDF5 file; starts zeroed.
 */
typedef struct gp_disk {
    H5FD_t hdf5; /* must come first */
    int fd;      /* open for reading and writing; closed by HDF5's close */
    int in_use;  /* HDF5 has the file open */
    int failure; /* errno of the first write that failed, or 0 */
    haddr_t eoa; /* end of what HDF5 has allocated */
    haddr_t eof; /* end of what was written */
} gp_disk;

/** Sets the driver in file access properties: the next H5Fcreate writes to disk->fd, whatever its
 * name. Local. Below 0 where HDF5 fails. */
int gp_disk_set(hid_t access, gp_disk *disk);

#endif

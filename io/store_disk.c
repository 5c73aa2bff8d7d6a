#include "io/store_disk.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* What access properties carry; HDF5 copies its bytes. */
typedef struct disk_info {
    gp_disk *disk;
} disk_info;

static H5FD_t *disk_open(const char *name, unsigned flags, hid_t access, haddr_t maximum) {
    const disk_info *info = H5Pget_driver_info(access);
    (void)name;
    (void)flags;
    (void)maximum;
    if (info == NULL || info->disk->in_use)
        return NULL;
    info->disk->in_use = 1;
    return &info->disk->hdf5;
}

static herr_t disk_close(H5FD_t *file) {
    gp_disk *disk = (gp_disk *)file;
    if (close(disk->fd) != 0 && disk->failure == 0)
        disk->failure = errno;
    disk->fd = -1;
    disk->in_use = 0;
    return 0;
}

static herr_t disk_query(const H5FD_t *file, unsigned long *flags) {
    (void)file;
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA |
             H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
}

static haddr_t disk_get_eoa(const H5FD_t *file, H5FD_mem_t type) {
    (void)type;
    return ((const gp_disk *)file)->eoa;
}

static herr_t disk_set_eoa(H5FD_t *file, H5FD_mem_t type, haddr_t end) {
    (void)type;
    ((gp_disk *)file)->eoa = end;
    return 0;
}

static haddr_t disk_get_eof(const H5FD_t *file, H5FD_mem_t type) {
    (void)type;
    return ((const gp_disk *)file)->eof;
}

/* Zeros stand where nothing was written. */
static herr_t disk_read(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t size,
                        void *buffer) {
    const gp_disk *disk = (const gp_disk *)file;
    uint8_t *to = buffer;
    (void)type;
    (void)transfer;
    while (size > 0) {
        ssize_t got = pread(disk->fd, to, size, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0) {
            memset(to, 0, size);
            break;
        }
        to += got;
        at += (haddr_t)got;
        size -= (size_t)got;
    }
    return 0;
}

static herr_t disk_write(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t size,
                         const void *buffer) {
    gp_disk *disk = (gp_disk *)file;
    const uint8_t *from = buffer;
    (void)type;
    (void)transfer;
    if (at + size > disk->eof)
        disk->eof = at + size;
    while (size > 0 && disk->failure == 0) {
        ssize_t put = pwrite(disk->fd, from, size, (off_t)at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            disk->failure = put < 0 ? errno : ENOSPC;
            break;
        }
        from += put;
        at += (haddr_t)put;
        size -= (size_t)put;
    }
    return 0;
}

static herr_t disk_truncate(H5FD_t *file, hid_t transfer, hbool_t closing) {
    gp_disk *disk = (gp_disk *)file;
    (void)transfer;
    (void)closing;
    if (disk->failure == 0 && disk->eoa != disk->eof && ftruncate(disk->fd, (off_t)disk->eoa) != 0)
        disk->failure = errno;
    disk->eof = disk->eoa;
    return 0;
}

int gp_disk_set(hid_t access, gp_disk *disk) {
    static const H5FD_class_t driver = {
#ifdef H5FD_CLASS_VERSION
        .version = H5FD_CLASS_VERSION,
        .value = (H5FD_class_value_t)512, /* of the range that HDF5 leaves to others */
#endif
        .name = "gp-dist",
        .maxaddr = INT64_MAX,
        .fc_degree = H5F_CLOSE_STRONG,
        .fapl_size = sizeof(disk_info),
        .open = disk_open,
        .close = disk_close,
        .query = disk_query,
        .get_eoa = disk_get_eoa,
        .set_eoa = disk_set_eoa,
        .get_eof = disk_get_eof,
        .read = disk_read,
        .write = disk_write,
        .truncate = disk_truncate,
        .fl_map = H5FD_FLMAP_DICHOTOMY,
    };
    /* Registered for good: H5Fclose gives back the file's hold on the driver first, and calls its
     * close after that. */
    static hid_t id;
    disk_info info = {disk};
    if (id <= 0)
        id = H5FDregister(&driver);
    return id < 0 || H5Pset_driver(access, id, &info) < 0 ? -1 : 0;
}

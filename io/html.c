#include "io/html.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char unknown[] = "\xEF\xBF\xBD"; /* U+FFFD */
static const char minus[] = "\xE2\x88\x92";   /* U+2212 */
static const char dash[] = "\xE2\x80\x93";    /* U+2013 */

static int add(const gp_html *html, const char *bytes, int64_t n) {
    return gp_text_add(html->to, bytes, n, html->err);
}

static int put(const gp_html *html, const char *s) {
    return add(html, s, (int64_t)strlen(s));
}

int gp_html_raw(const gp_html *html, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *to = n < 0 ? NULL : gp_text_room(html->to, n, html->err);
    if (to == NULL)
        return gp_err_set(html->err, GP_EFAIL, "a page's text cannot be formatted");
    va_start(args, fmt);
    vsnprintf(to, (size_t)n + 1, fmt, args);
    va_end(args);
    html->to->length += n;
    return html->err->code;
}

/* ---- text ---- */

/* Bytes of the UTF-8 character at s; 0 where there is none that XML may hold. Source: RFC 3629, 4;
 * XML 1.0, 2.2. */
static int utf8(const unsigned char *s) {
    uint32_t point;
    int more = *s < 0x80                 ? 0
               : *s >= 0xC2 && *s < 0xE0 ? 1
               : *s >= 0xE0 && *s < 0xF0 ? 2
               : *s >= 0xF0 && *s < 0xF5 ? 3
                                         : -1;
    if (more <= 0)
        return more == 0 && (*s >= 0x20 || *s == '\t' || *s == '\n') && *s != 0x7F;
    point = *s & (0x3Fu >> more);
    for (int k = 1; k <= more; k++) {
        if ((s[k] & 0xC0) != 0x80)
            return 0;
        point = point << 6 | (s[k] & 0x3Fu);
    }
    if ((more == 2 && point < 0x800) || (more == 3 && (point < 0x10000 || point > 0x10FFFF)) ||
        (point >= 0x80 && point < 0xA0) || (point >= 0xD800 && point < 0xE000) ||
        (point & 0xFFFE) == 0xFFFE)
        return 0;
    return more + 1;
}

static const char *escaped(char c) {
    return c == '&'    ? "&amp;"
           : c == '<'  ? "&lt;"
           : c == '>'  ? "&gt;"
           : c == '"'  ? "&quot;"
           : c == '\'' ? "&#39;"
                       : NULL;
}

int gp_html_text(const gp_html *html, const char *s) {
    while (s != NULL && *s != 0 && html->err->code == GP_OK) {
        const char *name = escaped(*s);
        int n = utf8((const unsigned char *)s);
        if (name != NULL)
            put(html, name);
        else if (n == 0)
            put(html, unknown);
        else
            add(html, s, n);
        s += n > 0 ? n : 1;
    }
    return html->err->code;
}

/* ---- numbers ---- */

int gp_html_count(const gp_html *html, int64_t value) {
    char digits[32];
    int n = snprintf(digits, sizeof digits, "%" PRId64, value), from = value < 0;
    if (from)
        put(html, minus);
    for (int k = from; k < n; k++) {
        if (k > from && (n - k) % 3 == 0)
            add(html, ",", 1);
        add(html, digits + k, 1);
    }
    return html->err->code;
}

int gp_html_real(const gp_html *html, const char *format, double value) {
    char digits[64];
    if (!isfinite(value))
        return put(html, dash);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(digits, sizeof digits, format, value);
#pragma GCC diagnostic pop
    for (const char *c = digits; *c != 0; c++)
        if (*c == '-')
            put(html, minus);
        else
            add(html, c, 1);
    return html->err->code;
}

int gp_html_p(const gp_html *html, double x) {
    if (!isfinite(x))
        return put(html, dash);
    if (x <= 0.0)
        return put(html, "1");
    if (x < 3.0)
        return gp_html_real(html, "%.2g", pow(10.0, -x));
    double exponent = ceil(x);
    double digit = floor(pow(10.0, exponent - x) * 10.0 + 0.5) / 10.0; /* 1.0 to 10.0 */
    if (digit >= 10.0) {
        digit /= 10.0;
        exponent -= 1.0;
    }
    return gp_html_raw(html,
                       "%.1f\xC3\x97"
                       "10<sup>%s%.0f</sup>",
                       digit, minus, exponent);
}

/* ---- the page ---- */

static const char *const style[] = {
    ":root{--ink:#16202a;--soft:#55626e;--rule:#d5dce2;--tint:#f4f7f9;--blue:#0072b2;"
    "--sky:#56b4e9;--red:#d55e00;--orange:#e69f00;--green:#009e73;color-scheme:light}\n"
    "*{box-sizing:border-box}html{-webkit-text-size-adjust:100%}\n"
    "body{margin:0;background:#fff;color:var(--ink);font:16px/1.5 system-ui,-apple-system,"
    "'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;font-variant-numeric:tabular-nums}\n"
    "a{color:#005a8e;text-decoration-thickness:1px;text-underline-offset:2px}\n"
    "h1,h2,h3{line-height:1.2;text-wrap:balance;overflow-wrap:anywhere}\n"
    "h1{font-size:1.9rem;margin:0 0 .3rem;letter-spacing:-.01em}\n"
    "h2{font-size:1.45rem;margin:0 0 .8rem}h3{font-size:1.05rem;margin:1.8rem 0 .5rem}\n"
    "h2 small{font-size:.95rem;font-weight:400;color:var(--soft);margin-left:.5rem}\n"
    "p{max-width:72ch;margin:.4rem 0 .8rem}.soft{color:var(--soft)}.soft,.note{font-size:.9rem}\n"
    "#page{max-width:1440px;margin:0 auto;padding:0 1.2rem}\n"
    "#top{padding:2rem 0 1.2rem;border-bottom:3px solid var(--ink)}\n"
    "nav{padding:1rem 0;font-size:.92rem}nav ul{list-style:none;margin:0;padding:0;"
    "columns:11rem;column-gap:1.4rem}\n"
    "nav li{padding:.12rem 0;break-inside:avoid;overflow-wrap:anywhere}nav a{text-decoration:none}"
    "nav a:hover{text-decoration:underline}\n"
    "section{padding:1.6rem 0 2rem;border-top:1px solid var(--rule);scroll-margin-top:.5rem}\n"
    "nav+main>section:first-child{border-top:0}\n",
    ".tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(10.5rem,1fr));gap:.6rem;"
    "margin:0 0 1.2rem;padding:0}\n"
    ".tiles div{background:var(--tint);border-left:3px solid var(--blue);padding:.5rem .7rem}\n"
    ".tiles dt{font-size:.8rem;color:var(--soft)}.tiles dd{margin:0;font-size:1.2rem;"
    "font-weight:600}.tiles dd small{font-size:.8rem;font-weight:400;color:var(--soft);"
    "display:block}\n"
    "figure{margin:0 0 1.2rem;min-width:0}figcaption{font-size:.88rem;color:var(--soft);"
    "max-width:80ch}figcaption b{color:var(--ink)}\n"
    ".wide{overflow-x:auto}.wide svg{min-width:640px}\n"
    ".plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,330px),1fr));"
    "gap:1rem 1.6rem;align-items:start}.plots figure{max-width:560px}\n"
    ".scroll{overflow-x:auto;margin:0 0 1rem}\n"
    "table{border-collapse:collapse;font-size:.9rem}th,td{padding:.28rem .7rem;text-align:left;"
    "vertical-align:baseline;border-bottom:1px solid var(--rule)}\n"
    "th{font-weight:600;border-bottom:2px solid var(--ink);vertical-align:bottom;"
    "white-space:nowrap}tbody th{border-bottom:1px solid var(--rule);font-weight:400;"
    "white-space:normal}\n"
    "td.n,th.n{text-align:right;white-space:nowrap}td.w{overflow-wrap:anywhere;min-width:5rem}td.g{"
    "white-space:nowrap}.tight td,.tight th{padding:.28rem .45rem}td .soft{font-size:.92em}"
    "tr.best>*{background:var(--tint);font-weight:600}tr:target>*{background:#fdf0d5}\n"
    "pre,code{font:.85rem/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}"
    "pre{background:var(--tint);padding:.7rem;white-space:pre-wrap;overflow-wrap:anywhere;"
    "margin:.3rem 0}\n"
    "details{margin:.6rem 0}summary{cursor:pointer}iframe{width:100%;height:26rem;"
    "border:1px solid var(--rule)}\n"
    ".up{color:#00694d}.down{color:#a34700}.flag{display:inline-block;font-size:.75rem;"
    "font-weight:600;border:1px solid;border-radius:3px;padding:0 .3rem;white-space:nowrap}\n",
    "svg{display:block;width:100%;height:auto;font-size:13px}svg text{fill:var(--ink)}"
    "svg .t{fill:var(--soft)}svg .m{text-anchor:middle}svg .e{text-anchor:end}\n"
    ".grid{stroke:#e4e9ed;fill:none}.axis{stroke:var(--ink);fill:none}\n"
    ".d{fill:none;stroke-linecap:round;stroke-linejoin:round}"
    ".c0{stroke:var(--blue)}.c1{stroke:var(--sky)}\n"
    ".sign{stroke:var(--red);stroke-dasharray:7 4;fill:none}"
    ".same{stroke:#555;stroke-dasharray:3 3;fill:none}.band{fill:#dfe5ea}\n"
    ".hit path{fill:#fff;stroke:var(--red);stroke-width:2}.hit text{font-size:12px;"
    "font-weight:600;paint-order:stroke;stroke:#fff;stroke-width:3px}\n"
    ".hit{scroll-margin-top:35vh}.hit:target path{fill:var(--orange);stroke:#000;stroke-width:1.5;"
    "transform-box:fill-box;transform-origin:center;transform:scale(2)}\n"
    ".qq{stroke:var(--blue);stroke-width:4}.pt{stroke:var(--blue);stroke-width:3.4;"
    "stroke-opacity:.55}\n"
    ".s0{fill:#c6dff0}.s1{fill:#86bfe3}.s2{fill:#3f97cd}.s3{fill:#0a6aa6}.s4{fill:#023a5e}\n"
    ".tenth{fill:var(--orange);stroke:#000;stroke-width:1.2}\n"
    ".train{stroke:var(--blue);stroke-width:1.6;fill:none;stroke-opacity:.75}"
    ".valid{stroke:var(--red);stroke-width:1.6;fill:none;stroke-dasharray:5 3;"
    "stroke-opacity:.85}\n"
    ".m0{stroke:#000;stroke-dasharray:1.5 3.5;stroke-width:2;fill:none}"
    ".m1{stroke:var(--orange);stroke-dasharray:8 4;stroke-width:2.2;fill:none}"
    ".m2{stroke:var(--blue);stroke-width:2.4;fill:none}\n"
    ".k0{stroke:var(--blue);stroke-width:2;fill:var(--blue);fill-opacity:.15}"
    ".k1{stroke:var(--red);stroke-width:2;stroke-dasharray:6 3;fill:var(--red);"
    "fill-opacity:.12}\n"
    ".bar{fill:var(--blue)}.bar0{fill:#9aa7b2}.whisker{stroke:#000;stroke-width:1.5}\n",
    "@media (min-width:760px){.plots:has(>:nth-child(4)){grid-template-columns:"
    "repeat(2,minmax(0,560px))}}\n"
    "@media (min-width:1120px){#body{display:grid;grid-template-columns:13rem minmax(0,1fr);"
    "gap:2rem}nav{position:sticky;top:0;align-self:start;max-height:100vh;overflow-y:auto;"
    "padding:1.4rem 0}nav ul{columns:auto}}\n"
    "@media (max-width:560px){#page{padding:0 .8rem}h1{font-size:1.5rem}"
    ".tiles{grid-template-columns:1fr 1fr}.tiles dd{font-size:1.05rem}th,td{padding:.28rem .45rem}"
    "svg{font-size:15px}.wide svg{min-width:820px}.wide .hit text{font-size:14px}}\n"
    "@media "
    "print{.tiles{grid-template-columns:repeat(5,1fr)}#filters,#options{break-inside:avoid}h3+p{"
    "break-after:avoid}@page{"
    "size:A4;margin:13mm}body{font-size:10pt;color:#000}#page{max-width:none;"
    "padding:0}:root{--ink:#000;--soft:#222;--rule:#999}nav,iframe,.screen{display:none}"
    "a{color:#000;text-decoration:none}section{border-top:0;padding:.5rem 0}"
    ".trait{break-before:page}figure,tr,.tiles,.tiles div{break-inside:avoid}h2,h3{"
    "break-after:avoid}.scroll,.wide{overflow:visible}.wide svg{min-width:0}table{font-size:8pt}"
    "th,td{padding:.15rem .35rem}td.n{white-space:normal}"
    ".plots{grid-template-columns:1fr 1fr;gap:.4rem 1rem}.plots figure{max-width:78mm}.wide "
    "svg{font-size:17px}.wide .hit "
    "text{font-size:15px}figcaption{font-size:8pt}*{-webkit-print-color-adjust:exact;"
    "print-color-adjust:exact}}\n",
};

int gp_html_begin(const gp_html *html, const char *title) {
    put(html, "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n"
              "<head>\n<meta charset=\"utf-8\" />\n<meta name=\"viewport\" "
              "content=\"width=device-width, initial-scale=1\" />\n<title>");
    gp_html_text(html, title);
    put(html, "</title>\n<style>\n");
    for (size_t k = 0; k < sizeof style / sizeof *style; k++)
        put(html, style[k]);
    return put(html, "</style>\n</head>\n<body>\n");
}

int gp_html_end(const gp_html *html) {
    return put(html, "</body>\n</html>\n");
}

#include "jobs/page.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

enum {
    WIDTH = 80,
    ROFF_WIDTH = 68, /* of the source, before escapes */
    TERM_INDENT = 2,
    CALL_INDENT = 10, /* of a call's second line */
    TEXT_INDENT = 26  /* of what an entry's term means */
};

static void add(gp_page *page, const char *s, size_t n) {
    gp_text_add(page->to, s, (int64_t)n, page->err);
}

static void put(gp_page *page, const char *s) {
    add(page, s, strlen(s));
}

/* roff reads '\' and '-' as its own and turns quotes into typographic ones (groff_char(7)); plain
 * text passes. */
static void add_escaped(gp_page *page, const char *s, size_t n) {
    static const char special[] = "\\-'`^~\"";
    static const char *const escapes[] = {"\\e",   "\\-",   "\\(aq", "\\(ga",
                                          "\\(ha", "\\(ti", "\\(dq"};
    if (!page->roff) {
        add(page, s, n);
        return;
    }
    if (n > 0 && *s == '.')
        put(page, "\\&"); /* not a request */
    for (size_t i = 0; i < n; i++) {
        const char *found = strchr(special, s[i]);
        if (found != NULL && s[i] != 0)
            put(page, escapes[found - special]);
        else
            add(page, s + i, 1);
    }
}

static void pad(gp_page *page, int n) {
    for (int i = 0; i < n; i++)
        put(page, " ");
}

static void begin_paragraph(gp_page *page) {
    if (page->roff && !page->titled)
        put(page, ".PP\n");
    page->titled = 0;
}

/* Words from column `at` on, where the line stands, with further lines indented. */
static void wrap(gp_page *page, const char *s, size_t n, int at, int indent) {
    int fresh = 1, width = page->roff ? ROFF_WIDTH : WIDTH;
    if (page->roff)
        at = indent = 0; /* roff fills and indents itself */
    int column = at;
    for (size_t i = 0; i < n;) {
        if (s[i] == ' ' || s[i] == '\n') {
            i++;
            continue;
        }
        size_t length = 0;
        while (i + length < n && s[i + length] != ' ' && s[i + length] != '\n')
            length++;
        if (!fresh && column + 1 + (int)length > width) {
            put(page, "\n");
            pad(page, indent);
            column = indent;
        } else if (!fresh) {
            put(page, " ");
            column++;
        }
        add_escaped(page, s + i, length);
        column += (int)length;
        fresh = 0;
        i += length;
    }
    put(page, "\n");
}

void gp_page_section(gp_page *page, const char *title) {
    if (!page->roff) {
        gp_text_print(page->to, page->err, "\n%s:\n", title);
        return;
    }
    page->titled = 1;
    put(page, ".SH \"");
    for (const char *c = title; *c != 0; c++) {
        char upper = (char)toupper((unsigned char)*c);
        add_escaped(page, &upper, 1);
    }
    put(page, "\"\n");
}

void gp_page_subsection(gp_page *page, const char *title) {
    if (!page->roff) {
        gp_page_section(page, title);
        return;
    }
    page->titled = 1;
    put(page, ".SS \"");
    add_escaped(page, title, strlen(title));
    put(page, "\"\n");
}

void gp_page_group(gp_page *page, const char *title) {
    if (!page->roff) {
        gp_page_section(page, title);
        return;
    }
    begin_paragraph(page);
    put(page, "\\fI");
    add_escaped(page, title, strlen(title));
    put(page, "\\fR\n");
}

void gp_page_entry(gp_page *page, const char *term, const char *text) {
    size_t name = strcspn(term, " "), length = strlen(term);
    page->titled = 0;
    if (page->roff) {
        put(page, ".TP\n\\fB");
        add_escaped(page, term, name);
        put(page, "\\fR");
        if (term[name] != 0) {
            put(page, " \\fI");
            add_escaped(page, term + name + 1, length - name - 1);
            put(page, "\\fR");
        }
        put(page, "\n");
    } else {
        pad(page, TERM_INDENT);
        put(page, term);
        int used = TERM_INDENT + (int)length;
        if (used + 2 > TEXT_INDENT) {
            put(page, "\n");
            used = 0;
        }
        pad(page, TEXT_INDENT - used);
    }
    wrap(page, text, strlen(text), TEXT_INDENT, TEXT_INDENT);
}

void gp_page_call(gp_page *page, const char *call) {
    begin_paragraph(page);
    pad(page, page->roff ? 0 : TERM_INDENT);
    wrap(page, call, strlen(call), TERM_INDENT, CALL_INDENT);
}

static void entry_of_line(gp_page *page, const char *line, size_t n) {
    char term[WIDTH], text[1024]; /* the program's own words: longer ones would be cut */
    size_t t = strcspn(line, "\t"), rest = n - t - 1;
    t = t < sizeof term ? t : sizeof term - 1;
    rest = rest < sizeof text ? rest : sizeof text - 1;
    memcpy(term, line, t);
    memcpy(text, line + n - rest, rest);
    term[t] = text[rest] = 0;
    gp_page_entry(page, term, text);
}

static int has_tab(const char *line) {
    return memchr(line, '\t', strcspn(line, "\n")) != NULL;
}

/* Length of the run of lines that make one paragraph, or one run of kept lines. */
static size_t paragraph(const char *s) {
    size_t n = strcspn(s, "\n");
    while (s[n] == '\n') {
        const char *next = s + n + 1;
        if (*next == 0 || *next == '\n' || (*next == ' ') != (*s == ' ') || has_tab(next))
            break;
        n += 1 + strcspn(next, "\n");
    }
    return n;
}

void gp_page_text(gp_page *page, const char *text) {
    int first = 1;
    for (const char *s = text; *s != 0;) {
        if (*s == '\n') {
            s++;
            continue;
        }
        int apart = !first && s[-1] == '\n' && s[-2] == '\n';
        size_t n = strcspn(s, "\n");
        if (has_tab(s)) {
            entry_of_line(page, s, n);
        } else {
            n = paragraph(s);
            put(page, apart && !page->roff ? "\n" : "");
            begin_paragraph(page);
            if (*s == ' ') {
                put(page, page->roff ? ".nf\n" : "");
                add_escaped(page, s, n);
                put(page, page->roff ? "\n.fi\n" : "\n");
            } else {
                wrap(page, s, n, 0, 0);
            }
        }
        s += n;
        first = 0;
    }
}

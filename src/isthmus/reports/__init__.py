"""Run or model → one self-contained HTML page.

gather.py     what the page will say: the model, its run, and the samples it is measured on
charts.py     figures → inline SVG that follows the page's colours
pictures.py   samples → PNG in data: URIs, or line plots
page.py       all of it → HTML
"""

from isthmus.reports.report import ReportResult, write_report

__all__ = ["ReportResult", "write_report"]
